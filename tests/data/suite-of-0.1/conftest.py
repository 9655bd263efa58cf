"""Brings the fixtures that the suite shares with your own tests."""

pytest_plugins = ["fixtures.model"]
