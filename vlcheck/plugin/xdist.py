"""The controller of pytest-xdist in a run; its hooks are called only if that plugin is installed."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.plugin.devices import CUDA, THREADS, count_gpus, demand_gpus, share_gpus, threads_each
from vlcheck.plugin.reporters.progress import Reporter
from vlcheck.plugin.settings import LOCAL

if TYPE_CHECKING:
    from xdist.scheduler import Scheduling

    from vlcheck.plugin.run import Run

_OF_VLCHECK = ("model", "results", "report", "control", "store")  # without them, the tests may be others than vlcheck's


class Controller:
    """Gives workers a common folder, a GPU each and a share of the processor; runs tests of a dead worker once more.

    A worker that replaces a dead one is made from the same spec, so that it has the same GPU.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._workers = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, config: pytest.Config, specs: Sequence[Any]) -> None:
        if any(options.on_the_command_line(config, name) for name in _OF_VLCHECK):
            _demand_settings(self._run)
        self._run.inputs.demand_baseline()
        self._workers = len(specs)
        if len(specs) > 1 and self._run.settings.engine != LOCAL:
            _demand_engine(self._run, len(specs))
        if self._run.settings.model and self._run.settings.data and not self._run.lists:
            self._run.inputs.read_ahead()
        # Otherwise each worker's torch would start a thread for every core, which slows down all of them.
        if THREADS not in os.environ:
            for spec in specs:
                spec.env[THREADS] = str(threads_each(len(specs)))
        if self._run.settings.device == CUDA:
            self._share_gpus(config, [spec.env for spec in specs])

    def _share_gpus(self, config: pytest.Config, environments: Sequence[dict[str, str]]) -> None:
        try:
            said = share_gpus(environments, demand_gpus(os.environ, count_gpus()))
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error
        if said:
            Reporter(config, self._run.process.folder).say([said])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["vlcheck_controller"] = os.getpid()
        node.workerinput["vlcheck_folder"] = str(self._run.process.folder)
        node.workerinput["vlcheck_started"] = self._run.process.started.isoformat()
        node.workerinput["vlcheck_run_id"] = self._run.process.run_id
        node.workerinput["vlcheck_workers"] = self._workers

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Scheduling | None:
        from vlcheck.plugin.xdist_schedulers import SCHEDULERS  # xdist is installed if this hook is called

        scheduler = SCHEDULERS.get(config.getoption("dist"))
        return scheduler(config, log) if scheduler else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if session.config.getoption("dist", "no") == "no":
            return (yield)
        stop = threading.Event()
        reporter = Reporter(session.config, self._run.process.folder)
        watcher = threading.Thread(target=reporter.watch, args=(stop,), daemon=True)
        watcher.start()
        try:
            return (yield)
        finally:
            stop.set()
            watcher.join()


def _demand_settings(run: Run) -> None:
    """Check, before workers start, what each of them would find out by itself and could only let its tests say.

    Raises:
        pytest.UsageError: options of the command line do not fit together, or the store cannot be used.
    """
    from vlcheck.scoring.stores.store_file import FullStore, StoreFile  # not imported in runs of other projects

    try:
        run.settings.demand()
        if run.settings.store:
            with suppress(FullStore), closing(StoreFile(run.settings.store)):
                pass
    except UsageError as error:
        raise pytest.UsageError(options.message_of(error)) from error


def _demand_engine(run: Run, processes: int) -> None:
    """Check that the engine can be made, and shares a plan among so many processes.

    Raises:
        pytest.UsageError: it cannot, or does not.
    """
    from vlcheck.scoring.engines.registry import demand_shared, open_engine  # not imported in every run

    said = run.settings.engine
    try:
        with closing(open_engine(said, run.process.folder, run.settings.device)) as engine:
            demand_shared(engine, said, processes)
    except UsageError as error:
        raise pytest.UsageError(options.message_of(error)) from error
