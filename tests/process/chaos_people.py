"""People who ask all the time, whatever happens to the bot."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pipelines
from discord_interactions import Asked, Message
from discord_payloads import FIRST_OF_MANY
from discord_stub import DiscordStub, Trouble, Upload

ACCEPT_SECONDS = 4.0  # what is not deferred by then never is
PATIENCE_SECONDS = 15.0  # for an answer, before somebody asks for something else


@dataclass
class Crowd:
    """So many people, each of whom asks for one or two things at a time. What they ask for depends on the seed, in
    which order on the machine."""

    stub: DiscordStub
    seed: int
    people: int
    unkept: set[int] = field(default_factory=set)  # interactions of which the bot keeps no row
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Let them begin."""
        for person in range(2 * self.people):
            random = Random(f"{self.seed} person {person}")
            self._tasks.append(asyncio.create_task(self._live(FIRST_OF_MANY + person // 2, random)))

    async def stop(self) -> None:
        """Let them ask for nothing more. Raises what went wrong with one of them."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
                raise outcome

    async def segfault(self, random: Random) -> Asked:
        """Send an image that takes the worker with it, twice."""
        picture = Upload("deadly.png", pipelines.SEGFAULTS + b" %d" % next(self._numbers))
        return await self.stub.interrogate(picture, by=FIRST_OF_MANY + self.people + random.randrange(50))

    async def _live(self, person: int, random: Random) -> None:
        while True:
            asked = await self._ask(person, random)
            if random.random() < 0.1:
                await self._cancel(asked, person)
            await self.wait_for(asked, PATIENCE_SECONDS)
            if random.random() < 0.1:
                await self._press("Explain", asked, person)
            await asyncio.sleep(random.uniform(0.1, 0.6))

    async def _cancel(self, asked: Asked, person: int) -> None:
        """As soon as it can be cancelled; not where it is answered before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ACCEPT_SECONDS):
                await asked.until(lambda: asked.answered is not None or has_button("Cancel", asked.original))
                await self._press("Cancel", asked, person)

    async def _press(self, label: str, asked: Asked, person: int) -> None:
        """Where its message has such a button."""
        if has_button(label, asked.original):
            assert asked.original is not None
            await self._unkept(await self.stub.press(label, asked.original, by=person))

    async def _unkept(self, asked: Asked) -> Asked:
        self.unkept.add(asked.id)
        await self.wait_for(asked, ACCEPT_SECONDS if asked.pressed else PATIENCE_SECONDS)
        return asked

    async def _ask(self, person: int, random: Random) -> Asked:
        await self.stub.gateway.until_connected()
        private = random.random() < 0.3
        match random.random():
            case chance if chance < 0.1:
                album = self.stub.post(*(self._picture(random) for _ in range(random.randint(2, 3))))
                return await self.stub.choose("Interrogate image", album, by=person)
            case chance if chance < 0.15:
                return await self.stub.interrogate(Upload("a.png", pipelines.UNREADABLE), by=person, private=private)
            case chance if chance < 0.18:
                gone = Upload("a.png", b"gone", trouble=random.choice((Trouble.MISSING, Trouble.CUT)))
                return await self.stub.interrogate(gone, by=person, private=private)
            case chance if chance < 0.2:
                return await self.stub.interrogate(Upload("a.txt", b"a text", content_type="text/plain"), by=person)
            case chance if chance < 0.26:
                command = random.choice(("analyze", "compare"))
                return await self._unkept(await self.stub.use_on(command, self._picture(random), by=person))
            case _:
                return await self.stub.interrogate(self._picture(random), by=person, private=private)

    def _picture(self, random: Random) -> Upload:
        """One of its own, or one that many ask for."""
        name = f"popular {random.randrange(5)}" if random.random() < 0.1 else f"picture {next(self._numbers)}"
        return Upload("a.png", pipelines.PACES + f"{random.uniform(0, 0.2):.2f} {name}".encode())

    async def wait_for(self, asked: Asked, seconds: float) -> None:
        """Until it is answered, for so many seconds at most; not where it was not even accepted."""
        try:
            async with asyncio.timeout(ACCEPT_SECONDS):
                await asked.until(lambda: asked.responded is not None)
            async with asyncio.timeout(seconds):
                await asked.until(lambda: asked.answered is not None)
        except TimeoutError:
            return


def has_button(label: str, message: Message | None) -> bool:
    """Whether it can be pressed under the message."""
    rows = message.components if message is not None else ()
    return any(button["label"] == label for row in rows for button in row["components"])
