"""The hooks of the pytest plugin.

pytest imports this module in every project in which vlcheck is installed, so nothing that is slow is imported here.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin import mark, options, signals
from vlcheck.plugin.devices import workers_of
from vlcheck.plugin.ending import status_of
from vlcheck.plugin.fixture import verdict
from vlcheck.plugin.reporters import failure, github, html, terminal
from vlcheck.plugin.run import RUN, Run, last_word
from vlcheck.plugin.suites import COLLECTED, from_elsewhere
from vlcheck.plugin.xdist import Controller

__all__ = ["verdict"]


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int, int]:
    if config.getoption("vl_plan", default=False):
        options.disable_workers(config)
    try:
        status = yield
    except SystemExit as error:  # raised by another plugin, whose status must not be final
        status = status_of(error)
    except BaseException as error:
        last_word(config, status_of(error))
        raise
    return last_word(config, status)


class FirstWord:
    """A plugin that reads the options, and tells of those that cannot be used.

    It is registered after all installed plugins and before every conftest.py: a conftest.py may set options, and
    pytest-html raises if it cannot make its folder.
    """

    @staticmethod
    def pytest_configure(config: pytest.Config) -> None:
        _begin(config)


class LastWord:
    """A plugin that decides the exit status of the process, and prints the last lines.

    It is registered after every conftest.py: pytest calls the wrapper that was registered last as the outermost one.
    """

    @staticmethod
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
        result = yield  # pytest's terminal reporter prints the summaries and the counts
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter and RUN in session.config.stash:
            terminal.conclude_last(reporter, session.config.stash[RUN])
        return result

    @staticmethod
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int, int]:
        try:
            status = yield from pytest_cmdline_main(config)
        except BaseException as error:
            signals.end_with(config, status_of(error))
            raise
        signals.end_with(config, status)
        return status


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    early_config.pluginmanager.register(FirstWord(), "vlcheck-first-word")
    result = yield
    early_config.pluginmanager.register(LastWord(), "vlcheck-last-word")
    return result


def pytest_configure(config: pytest.Config) -> None:
    if RUN not in config.stash:  # a conftest.py named this module as its plugin, too late for the other hook
        FirstWord.pytest_configure(config)


def _begin(config: pytest.Config) -> None:
    run = Run(config)
    config.stash[RUN] = run
    if run.settings.model and run.process.is_worker:
        signals.follow_controller(run, int(config.workerinput["vlcheck_controller"]))  # type: ignore[attr-defined] # xdist's
    elif run.settings.model:
        config.pluginmanager.register(signals.Signals(run), "vlcheck-signals")
        # These two implement hooks of other plugins, which may be installed under any name, or not at all.
        config.pluginmanager.register(Controller(run), "vlcheck-xdist")
        config.pluginmanager.register(html.Page(run), "vlcheck-html")


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return the number of workers of -n auto for a model on GPUs: one a GPU; None leaves it to pytest-xdist.

    pytest-xdist calls it before `pytest_configure`, and only in plugins that are modules. A run without a
    model is of other tests, which a device in the ini file does not concern.
    """
    return workers_of(options.read_device(config)) if options.names_model(config) else None


def pytest_report_header(config: pytest.Config) -> list[str]:
    settings = config.stash[RUN].settings
    return list(from_elsewhere(config, settings)) if settings.model or settings.plan else []


@pytest.hookimpl(tryfirst=True)  # before pytest's terminal reporter, which raises if the terminal is gone
def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        config.stash[RUN].ending.finish(pytest.ExitCode.INTERNAL_ERROR)  # unless pytest_sessionfinish was called
        config.stash[RUN].close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None, object, object]:
    session.config.stash[RUN].began = True  # before another plugin can end the session
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    session.config.stash[RUN].collect()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark.parametrize(metafunc)


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, object, object]:
    return collector.config.stash[RUN].with_cases((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, object, object]:
    run, config.stash[COLLECTED] = config.stash[RUN], tuple(items)  # whose suite says which words the data is read with
    run.tests.leave_unfit(items, run.inputs.why_unfit)
    run.tests.collected = config.stash[COLLECTED] = tuple(items)  # before any of them is deselected
    return (yield)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return config.stash[RUN].tests.said_of_unfit()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    run = session.config.stash[RUN]
    run.select(session)
    if session.testsfailed and not session.config.option.continue_on_collection_errors:
        return (yield)  # pytest ends the run, so nothing is scored
    if run.settings.plan:
        run.plan(session)
        session.items.clear()
    else:
        run.prepare(session)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    return item.config.stash[RUN].runs_no_test or None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    failure.fail_unasserted(item, call, report)
    failure.fold_assertion(item, call, report)
    failure.add_worst_cases(item, report)
    html.attach_worst_cases(item, report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # else somebody waits for the end
        session.config.stash[RUN].ending.explain()
        session.config.stash[RUN].ending.identify()
    session.exitstatus = session.config.stash[RUN].ending.finish(session.exitstatus)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminal.summarise(terminalreporter, config.stash[RUN])
    github.report_to_github(terminalreporter, config.stash[RUN])


if not TYPE_CHECKING:  # otherwise a type checker would accept any name

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
