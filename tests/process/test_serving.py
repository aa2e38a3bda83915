"""A worker that runs by itself, and several who ask it at once."""

from __future__ import annotations

import signal
import socket
import stat
from pathlib import Path

import pipelines
import psutil
import pytest
from asking import Asked, alive, failure, job, outcome, prompt, until
from serving_kit import SECRET, ServeProcess, connected, served, unix

from interrogator.address import UnixAddress, parse_address
from interrogator.queue import WorkerState
from interrogator.types import Done, Failed, JobId, Queued


async def test_two_who_use_the_same_ids_each_get_their_own_answers(tmp_path: Path) -> None:
    async with served() as server, connected(server.address) as one, connected(server.address) as other:
        both = [Asked(one, job(b"a cat", id=JobId("1"))), Asked(other, job(b"a dog", id=JobId("1")))]
        answers = [await asked.last() for asked in both]
        assert [answer.interrogation.prompt for answer in answers if isinstance(answer, Done)] == ["a cat", "a dog"]
        holder = Asked(one, job(pipelines.HOLDS + bytes(tmp_path / "open"), id=JobId("2")))
        await holder.working()
        waiting = Asked(other, job(b"a bird", id=JobId("2")))
        await waiting.waiting()
        await other.cancel(JobId("2"))
        assert isinstance(await waiting.last(), Failed)
        (tmp_path / "open").touch()
        assert isinstance(await holder.last(), Done)


async def test_people_take_turns_whichever_bot_they_ask(tmp_path: Path) -> None:
    async with served() as server, connected(server.address) as busy, connected(server.address) as quiet:
        holder = Asked(busy, job(pipelines.HOLDS + bytes(tmp_path / "open"), user="ann"))
        await holder.working()
        hers = [Asked(busy, job(b"hers %d" % number, user="ann")) for number in range(3)]
        for asked in hers:
            await asked.waiting()
        his = Asked(quiet, job(b"his", user="bob"))
        await his.waiting()
        assert his.seen == [Queued(2)]
        (tmp_path / "open").touch()
        assert isinstance(await his.last(), Done)


async def test_a_command_line_takes_turns_as_one_person(tmp_path: Path) -> None:
    async with served() as server, connected(server.address) as line, connected(server.address) as bot:
        holder = Asked(line, job(pipelines.HOLDS + bytes(tmp_path / "open")))
        await holder.working()
        many = [Asked(line, job(b"one of many %d" % number)) for number in range(3)]
        for asked in many:
            await asked.waiting()
        his = Asked(bot, job(b"his", user="bob"))
        await his.waiting()
        assert his.seen == [Queued(2)]


async def test_who_goes_away_takes_their_jobs_along() -> None:
    async with served() as server, connected(server.address) as staying:
        async with connected(server.address) as leaving:
            running, waiting = Asked(leaving, job(pipelines.WAITS)), Asked(leaving, job(b"waiting"))
            await running.working()
            await waiting.waiting()
        assert await prompt(staying, job(b"the next")) == "the next"
        status = server.queue.status()
        assert (status.waiting, status.running, status.restarts) == (0, 0, 0)


async def test_an_image_that_kills_the_models_costs_nobody_the_connection() -> None:
    async with served() as server, connected(server.address) as one, connected(server.address) as other:
        assert await failure(one, job(pipelines.DIES)) == "worker_crashed"
        assert await prompt(other, job(b"a cat")) == "a cat"
        assert server.queue.status().restarts == 2
        assert one.status().restarts == other.status().restarts == 0


async def test_models_that_cannot_be_loaded_are_the_answer_to_each_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHTS", str(tmp_path / "weights"))
    async with served(pipeline="missing") as server, connected(server.address, retry_seconds=60) as queue:
        assert await outcome(queue, job(b"a cat")) == Failed(
            "model_missing", "The weights of lite are not on this machine."
        )
        (tmp_path / "weights").touch()
        assert await prompt(queue, job(b"a cat")) == "a cat"


async def test_a_worker_of_another_profile_is_not_asked() -> None:
    async with served() as server, connected(server.address, profile="sd1") as queue:
        assert await outcome(queue, job(b"a cat")) == Failed(
            "worker_unreachable", "The image worker serves the profile “lite”, and “sd1” is asked for."
        )


async def test_who_finds_no_worker_waits_for_it_and_is_told_after_a_while(tmp_path: Path) -> None:
    address = UnixAddress(tmp_path / "s")
    async with connected(address, max_failures=2, retry_seconds=0.1) as queue:
        assert await failure(queue, job(b"a cat")) == "worker_unreachable"
        await until(lambda: queue.status().worker is WorkerState.STOPPED)
        async with served(address):
            await until(lambda: queue.status().worker is WorkerState.READY)
            assert await prompt(queue, job(b"a cat")) == "a cat"


# Processes of their own


async def test_a_server_that_is_killed_is_found_again_and_every_job_is_answered_once(tmp_path: Path) -> None:
    with ServeProcess.running(unix(tmp_path)) as first:
        address = first.address()
        async with connected(address) as queue:
            holder = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
            waiting = Asked(queue, job(b"waiting"))
            await holder.working()
            first.tell(signal.SIGKILL)
            first.end()
            with ServeProcess.running(unix(tmp_path)) as second:  # in the place of the socket that was left
                second.is_ready_at(address)
                (tmp_path / "open").touch()
                assert isinstance(await holder.last(), Done)
                assert isinstance(await waiting.last(), Done)
                assert queue.status().restarts == 1


async def test_a_job_that_was_running_at_two_losses_fails_and_one_that_waited_does_not(tmp_path: Path) -> None:
    async with connected(UnixAddress(tmp_path / "s")) as queue:
        for _ in range(2):
            with ServeProcess.running(unix(tmp_path)) as server:
                if not queue.status().running + queue.status().waiting:
                    suspect, waiting = Asked(queue, job(pipelines.WAITS)), Asked(queue, job(b"waiting"))
                await until(lambda: queue.status().running == 1)
                server.tell(signal.SIGKILL)
                server.end()
                await until(lambda: queue.status().running == 0)
        assert await suspect.last() == Failed(
            "worker_crashed", "The image model crashed twice on this image, so it was given up. Try another file."
        )
        with ServeProcess.running(unix(tmp_path)):
            assert isinstance(await waiting.last(), Done)


async def test_a_server_that_is_told_to_stop_ends_cleanly_and_blames_nobody(tmp_path: Path) -> None:
    async with connected(UnixAddress(tmp_path / "s")) as queue:
        asked = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
        for number in (signal.SIGTERM, signal.SIGINT):
            with ServeProcess.running(unix(tmp_path)) as server:
                await until(lambda: queue.status().running == 1)
                server.tell(number)
                assert server.end() == 0
                assert not (tmp_path / "s").exists()
                await until(lambda: queue.status().running == 0)
        (tmp_path / "open").touch()
        with ServeProcess.running(unix(tmp_path)):
            assert isinstance(await asked.last(), Done)


async def test_a_server_that_is_stopped_is_given_up_and_found_again_when_it_goes_on(tmp_path: Path) -> None:
    with ServeProcess.running("tcp:127.0.0.1:0") as server:
        address = server.address()
        server.is_ready()
        async with connected(address, heartbeat_seconds=2, connect_seconds=0.2) as queue:
            asked = Asked(queue, job(pipelines.HOLDS + bytes(tmp_path / "open")))
            await asked.working()
            server.tell(signal.SIGSTOP)
            await until(lambda: queue.status().worker is not WorkerState.READY)
            (tmp_path / "open").touch()
            server.tell(signal.SIGCONT)
            assert isinstance(await asked.last(), Done)
            assert queue.status().restarts == 1


async def test_the_worker_of_a_server_that_is_killed_does_not_outlive_it() -> None:
    with ServeProcess.running("tcp:127.0.0.1:0") as server:
        async with connected(server.address()) as queue:
            await queue.wait_ready()
            (child,) = children_of(server.process.pid)
            server.tell(signal.SIGKILL)
            server.end()
            await until(lambda: not alive(child))


def test_a_socket_is_open_to_its_owner_alone_and_not_to_two_servers(tmp_path: Path) -> None:
    with ServeProcess.running(unix(tmp_path), secret=None) as first:
        first.address()
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
        with ServeProcess.running(unix(tmp_path), secret=None) as second:
            assert second.end() == 2
            assert f"A worker listens at unix:{tmp_path / 's'} already." in second.errors()
        with socket.socket(socket.AF_UNIX) as still:
            still.connect(str(tmp_path / "s"))


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with ServeProcess.running(unix(tmp_path)) as server:
        assert server.end() == 2
        assert "is no socket" in server.errors()
    assert (tmp_path / "s").read_text() == "mine"


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with ServeProcess.running(f"tcp:127.0.0.1:{port}") as server:
            assert server.end() == 2
            assert f"tcp:127.0.0.1:{port} cannot be listened at: Address already in use." in server.errors()


def test_models_that_are_missing_end_it_with_their_sentence() -> None:
    with ServeProcess.running("tcp:127.0.0.1:0", pipeline="missing") as server:
        assert server.end() == 1
        assert "interrogate: The weights of lite are not on this machine." in server.errors()


async def test_the_secret_may_be_in_a_file_and_is_in_no_argument_or_log(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(SECRET + b"\n")
    with ServeProcess.running(unix(tmp_path), "--secret-file", str(file), secret=None) as server:
        async with connected(parse_address(unix(tmp_path))) as queue:
            assert await prompt(queue, job(b"a cat")) == "a cat"
        command = command_of(server.process.pid)
        server.tell(signal.SIGTERM)
        assert server.end() == 0
        assert SECRET not in command
        assert SECRET.decode() not in server.errors()


def children_of(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
