from PIL import Image

from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.perturb import Grayscale, Mirror, Solid
from vlcheck.scoring.render import render_all
from vlcheck.scoring.rendered_once import RenderedOnce

RED, GRAY = Solid((8, 6), (200, 0, 0)), Solid((6, 8), (90, 90, 90))
PICTURES = [Picture(RED), Picture(RED, (Grayscale(),)), Picture(GRAY), Picture(GRAY, (Grayscale(),))]


def looks(outcomes):
    return [one if isinstance(one, Answer) else (one.mode, one.size, one.tobytes()) for _, one in outcomes]


def test_every_model_is_shown_what_it_would_be_shown_alone():
    pictures = RenderedOnce()
    alone = looks(render_all(PICTURES))
    assert looks(pictures.render(PICTURES)) == alone
    assert looks(pictures.render(PICTURES)) == alone
    assert sum(isinstance(one, Answer) for one in alone) == 1  # gray stays gray


def test_a_picture_is_rendered_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        Mirror, "edit", lambda self, image: drawn.append(1) or image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    )
    pictures, mirrored = RenderedOnce(), Picture(RED, (Mirror(),))
    for asked in ([mirrored], [*PICTURES, mirrored], [mirrored, Picture(GRAY, (Mirror(),))]):
        assert [picture for picture, _ in pictures.render(asked)] == asked
    assert len(drawn) == 2
