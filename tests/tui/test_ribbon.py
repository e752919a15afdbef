"""The path ribbon: from the client to the page in a line, the first broken hop marked, at every width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from plstui.domain.connection import APPROVED, PENDING, REJECTED, ConnectionStatus
from plstui.domain.errors import UnreachableError
from plstui.domain.path import HopKind, Path, path_of
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.world import World
from plstui.tui.panes import ribbon as module
from plstui.tui.panes.ribbon import LINES, PathRibbon, Piece, ribbon
from plstui.tui.tones import BUSY
from tests.support.lab import Request, crowd, empty, lab, with_status
from tests.support.stage import Stage, stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])


def shown(play: Stage) -> str:
    """The ribbon as a person reads it, its lines joined."""
    region = play.app.screen.query_one(PathRibbon).region
    return " ".join(line.strip() for line in play.see().lines[region.y : region.bottom])


def in_order(text: str, *parts: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at) + 1
        if not at:
            return False
    return True


def is_marked(play: Stage, text: str, tone: str) -> bool:
    """Whether a text in the ribbon stands on the colour of a tone."""
    style = play.see().style(text, in_line_with="→")
    assert style.color is not None
    return bool(style.reverse and style.bold and style.color.triplet == play.colour(tone).rich_color.triplet)


@SIZES
async def test_a_healthy_way_is_told_from_the_client_to_the_page(size: tuple[int, int]) -> None:
    async with stage(with_status(APPROVED), size=size) as play:
        await play.until(lambda: "3/3" in shown(play))
        hops = ("🟢 ✔ testVM", "✔ saasPrivateEndpoint 10.1.0.5", "🔵 ✔ Approved", "service", "balancer", "80→80", "3/3")
        assert in_order(shown(play), *hops, "✔ web1", "✔ web2", "✔ web3"), shown(play)
        assert "┄" not in shown(play)
        assert play.app.screen.query_one(PathRibbon).size.height == (1 if size[0] == 160 else 2)


@SIZES
@pytest.mark.parametrize(
    ("status", "text", "tone"),
    [(PENDING, " ◷ Pending ", Tone.WAITING), (REJECTED, " ✖ Rejected ", Tone.BAD)],
    ids=str,
)
async def test_the_first_broken_hop_is_marked(
    size: tuple[int, int], status: ConnectionStatus, text: str, tone: Tone
) -> None:
    async with stage(with_status(status), size=size) as play:
        await play.until(lambda: "3/3" in shown(play))
        assert is_marked(play, text, tone)
        before, _, after = shown(play).partition(text)
        assert "→" in before
        assert "┄" not in before
        assert "┄ ✔ service" in after, "what is behind it is well, and nothing gets there"
        assert " → " not in after


@SIZES
async def test_a_machine_that_is_down_is_marked_and_the_others_are_not(size: tuple[int, int]) -> None:
    async with stage(lab(Request(status=APPROVED), down=("web2",)), size=size) as play:
        await play.until(lambda: "web2 down" in shown(play))
        assert is_marked(play, " ✖ web2 down ", Tone.BAD)
        assert not play.see().style("✔ web3", in_line_with="web2 down").reverse
        assert "┄" not in shown(play), "the pool still serves"


@SIZES
async def test_a_decision_is_followed_while_it_is_under_way_and_when_it_shows(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        play.cloud.answering.clear()
        await play.press("a")
        await play.shows("Approve this connection?")
        await play.press("enter")
        await play.until(lambda: "◌ approving…" in shown(play))
        assert is_marked(play, "◌ approving…", BUSY)
        play.cloud.answering.set()
        await play.until(lambda: "✔ Approved → ✔ service" in shown(play))


@SIZES
async def test_it_follows_the_selection(size: tuple[int, int]) -> None:
    async with stage(crowd(40), size=size) as play:
        await play.until(lambda: "endpoint-0000" in shown(play))
        await play.press("end")
        await play.until(lambda: "endpoint-0038" in shown(play))
        assert "Approved" in shown(play)
        assert "endpoint-0000" not in shown(play)


async def test_only_the_selected_connection_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out = []

    def counted(world: World, link: object, results: object = ()) -> Path:
        worked_out.append(link)
        return path_of(world, link, results)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "path_of", counted)
    async with stage(crowd(600), size=(160, 48)) as play:
        await play.until(lambda: "3/3" in shown(play))
        worked_out.clear()
        await play.press("down")
        await play.until(lambda: "endpoint-0003" in shown(play))
        assert len(worked_out) < 10


async def test_what_a_probe_found_is_told_until_it_is_no_longer_so() -> None:
    async with stage(lab(), size=(160, 48)) as play:
        await play.press("p")
        await play.shows("✖ 1 of 5 targets fail")
        play.cloud.become(with_status(APPROVED))
        await play.press("r")
        await play.until(lambda: "Approved" in shown(play))
        assert "timeout" not in shown(play), "nobody has asked since the approval"

        play.prober.hold("saasPrivateEndpoint")
        await play.press("p")
        play.cloud.become(lab())
        play.prober.release("saasPrivateEndpoint")
        await play.shows("✖ 1 of 5 targets fail")
        await play.until(lambda: "saasPrivateEndpoint timeout" in shown(play))
        assert is_marked(play, "✖ saasPrivateEndpoint timeout", Tone.BAD)


@SIZES
async def test_a_side_that_cannot_be_read_is_told_as_old(size: tuple[int, int]) -> None:
    async with stage(with_status(APPROVED), size=size) as play:
        play.cloud.faults[Side.ISV] = UnreachableError("No answer.")
        await play.press("r")
        await play.until(lambda: "🔵 ✖ stale  ✔ Approved" in shown(play))
        assert "🟢 ✔ testVM" in shown(play)


@SIZES
async def test_text_of_the_other_side_is_harmless(size: tuple[int, int]) -> None:
    name = "evil\x1b[2J\n[red]\u202eendpoint"
    async with stage(lab(Request(name=name, status=APPROVED)), size=size) as play:
        await play.until(lambda: "3/3" in shown(play))
        assert "✔ evil[2J [red]endpoint" in shown(play)


@pytest.mark.parametrize("world", [empty(), World(None, empty().customer)], ids=["empty", "one side"])
async def test_without_a_connection_it_takes_no_room(world: World) -> None:
    async with stage(world, size=(80, 24)) as play:
        assert play.app.screen.query_one(PathRibbon).size.height == 0


async def test_very_low_terminals_keep_their_lines_for_the_tables() -> None:
    async with stage(lab(), size=(80, 16)) as play:
        assert play.app.screen.query_one(PathRibbon).size.height == 0
        await play.pilot.resize_terminal(80, 24)
        await play.until(lambda: "Pending" in shown(play))


async def test_a_zoomed_pane_has_all_the_room_and_a_zoomed_section_keeps_the_path() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        await play.press("2", "z")
        await play.shows("◷ Pending  ┄ ✔ service", gone=("subscription c27e4f0a",))
        await play.press("z", "shift+tab", "z")
        await play.shows("subscription c27e4f0a", gone=("┄", "2 Backends"))


def crowded(count: int, down: int) -> Path:
    """A way that ends at many backends, the last ones down."""
    [link] = (world := with_status(APPROVED)).links()
    path = path_of(world, link)
    backend = next(hop for hop in path.hops if hop.kind is HopKind.BACKEND)
    others = [hop for hop in path.hops if hop.kind is not HopKind.BACKEND]
    made = [replace(backend, name=f"web{number}") for number in range(count)]
    sick = [replace(hop, state="down", tone=Tone.BAD) for hop in made[count - down :]]
    return Path((*others, *made[: count - down], *sick))


def way(world: World) -> Path:
    return path_of(world, world.links()[0])


WAYS = {
    "pending": way(lab()),
    "approved": way(with_status(APPROVED)),
    "down": way(lab(Request(status=APPROVED), down=("web2",))),
    "long names": way(lab(Request(name="an-endpoint-with-" + "a-long-name-" * 5))),
    "wide letters": way(lab(Request(name="終端" * 30))),
    "customer alone": way(World(None, lab().customer)),
    "fifty backends": crowded(50, 0),
    "fifty backends, nine down": crowded(50, 9),
}


def text_of(line: list[Piece]) -> str:
    return "".join(piece.lead + piece.content().plain for piece in line)


@pytest.mark.parametrize("path", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("stale", [(), tuple(Side)], ids=["live", "stale"])
def test_whatever_the_width_it_fits_and_the_broken_hop_is_in_view(path: Path, stale: tuple[Side, ...]) -> None:
    for width in range(36, 240):
        lines = ribbon(path, stale, None, width)
        assert len(lines) <= next(most for least, most in LINES if width >= least), width
        for line in lines:
            assert cell_len(text_of(line)) <= width, text_of(line)
        marked = [piece for line in lines for piece in line if piece.marked]
        assert len(marked) == (path.broken_at is not None)
        if path.broken_at is not None:
            assert path.hops[path.broken_at].state.split()[0][:4] in marked[0].text, "names give way before states"


def test_with_more_room_more_is_said() -> None:
    said = [" ".join(map(text_of, ribbon(WAYS["pending"], (), None, width))) for width in (36, 80, 124, 160, 240)]
    assert "PLS" in said[0]
    assert "✔ service" in said[1]
    assert [("testVM running" in text) for text in said] == [False, False, False, True, True]
    assert "✔ saasPrivateLinkService Succeeded" in said[4]


def test_of_many_backends_the_bad_ones_are_named() -> None:
    [line] = ribbon(WAYS["fifty backends, nine down"], (), None, 200)
    assert text_of(line).endswith(" ✖ web41 down   ✖ web42 down  ✖ 7 more  ✔ 41 others")
    [line] = ribbon(WAYS["fifty backends"], (), None, 200)
    assert text_of(line).endswith("→ ✔ 50 backends")
    untold = Path(tuple(replace(hop, state="", tone=Tone.QUIET) for hop in WAYS["fifty backends"].hops))
    [line] = ribbon(untold, (), None, 200)
    assert text_of(line).endswith("→ · 50 not known"), "what nobody knows is not called well"


def test_where_there_is_very_little_room_hops_are_counted_side_by_side() -> None:
    lines = ribbon(WAYS["approved"], tuple(Side), None, 36)
    assert [text_of(line) for line in lines] == ["🟢 ✖ stale  ✔ 2 hops", "→ 🔵 ✖ stale  ✔ 6 hops"]
