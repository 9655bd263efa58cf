"""Models behind an endpoint with OpenAI's protocol: they are asked over HTTP, many questions at a time."""
