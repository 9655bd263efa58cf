"""A model that changed is a failure in JUnit XML, too, which is written before it is known."""

from xml.etree import ElementTree

from vlcheck.plugin.reporters.junit import add_failure

CASE = '<testcase name="a"/>'
GREEN = f'<testsuites><testsuite name="pytest" errors="0" failures="0" tests="1">{CASE}</testsuite></testsuites>'


def test_a_changed_model_is_a_failed_case(tmp_path):
    path = tmp_path / "junit.xml"
    path.write_text(GREEN)
    add_failure(path, "was 1, is 2")
    (suite,) = ElementTree.parse(path).iter("testsuite")  # noqa: S314  # our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [one.get("message") for one in suite.iter("failure")] == ["was 1, is 2"]


def test_what_is_no_xml_stays(tmp_path):
    path = tmp_path / "junit.xml"
    path.write_text("no xml")
    add_failure(path, "was 1, is 2")
    assert path.read_text() == "no xml"
    add_failure(tmp_path / "absent.xml", "was 1, is 2")
