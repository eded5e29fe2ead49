# SPDX-License-Identifier: Apache-2.0
"""Pictures for the model `digits`: glyphs of Debian's free fonts, bent, blurred and noisy.

A picture is 28x28 grey, uint8; dark on light as often as light on dark.
"""
import glob
import os

import numpy as np
import scipy.ndimage
from PIL import Image, ImageDraw, ImageFont

SIDE = 28
CANVAS = 64  # side of the square in which a glyph is drawn before it is bent
LABELS = [str(digit) for digit in range(10)]

FONTS = "/usr/share/fonts"
# Folder and start of the file's name; whole families, so that no face is on both sides.
TRAIN_FONTS = ["truetype/dejavu/DejaVu", "truetype/liberation/Liberation", "truetype/freefont/Free",
               "truetype/lato/Lato", "truetype/open-sans/OpenSans", "truetype/firacode/FiraCode",
               "truetype/inconsolata/Inconsolata", "truetype/quicksand/Quicksand",
               "truetype/noto/NotoSans-", "truetype/noto/NotoSerif-",
               "truetype/noto/NotoSerifDisplay-", "opentype/urw-base35/C059",
               "opentype/urw-base35/Nimbus", "opentype/urw-base35/URW",
               "opentype/cantarell/Cantarell"]
TEST_FONTS = ["truetype/crosextra/Carlito", "truetype/crosextra/Caladea", "truetype/hack/Hack",
              "truetype/roboto/unhinted/", "truetype/comfortaa/Comfortaa",
              "opentype/urw-base35/P052", "opentype/linux-libertine/LinLibertine_R"]
# Strokes that 28 pixels cannot show
TOO_THIN = ["Hairline", "Thin", "ExtraLight"]


def font_files(prefixes):
    files = [f for p in prefixes for f in glob.glob(os.path.join(FONTS, p) + "**", recursive=True)
             if f.endswith((".ttf", ".otf")) and not any(word in f for word in TOO_THIN)]
    if not files:
        raise SystemExit("no fonts: see the packages at the top of train.py")
    return sorted(files)


def draw(path, digit):
    """A digit, light on dark, in the middle of the canvas; 40 pixels high."""
    font = ImageFont.truetype(path, 52)
    left, top, right, bottom = font.getbbox(str(digit))
    font = ImageFont.truetype(path, int(52 * 40 / max(bottom - top, right - left)))
    left, top, right, bottom = font.getbbox(str(digit))
    picture = Image.new("L", (CANVAS, CANVAS))
    corner = ((CANVAS - right - left) / 2, (CANVAS - bottom - top) / 2)
    ImageDraw.Draw(picture).text(corner, str(digit), fill=255, font=font)
    return np.asarray(picture, np.float32) / 255


def glyphs(prefixes):
    """All digits of all fonts: [n, CANVAS, CANVAS] and the digits."""
    files = font_files(prefixes)
    drawn = [draw(path, digit) for path in files for digit in range(10)]
    return np.array(drawn), np.tile(np.arange(10), len(files))


def warp(rng):
    """Where each of the 28x28 pixels looks: turn, shear, scale, shift, a soft bend."""
    turn, shear = rng.uniform(-0.26, 0.26), rng.uniform(-0.25, 0.25)
    scale = rng.uniform(40 / 22, 40 / 16) * rng.uniform(0.9, 1.1, 2)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[1, 0], [shear, 1]]) * scale[:, None]
    grid = np.mgrid[:SIDE, :SIDE].reshape(2, -1) - (SIDE - 1) / 2
    grid = grid + rng.uniform(-2.5, 2.5, (2, 1))
    bend = rng.normal(0, 0.7, (2, 4, 4))
    bend = np.array([scipy.ndimage.zoom(b, SIDE / 4, order=1).ravel() for b in bend])
    return matrix @ (grid + bend) + (CANVAS - 1) / 2


def thicken(rng, glyph):
    """Strokes a little wider, a little thinner, or as they are."""
    choice = rng.random()
    if choice < 0.2:
        return scipy.ndimage.grey_dilation(glyph, (3, 3))
    return scipy.ndimage.grey_erosion(glyph, (2, 2)) if choice < 0.3 else glyph


def distort(rng, glyph):
    """One picture, uint8."""
    glyph = scipy.ndimage.gaussian_filter(thicken(rng, glyph), rng.uniform(0.3, 1.6))
    at = warp(rng)
    picture = scipy.ndimage.map_coordinates(glyph, at, order=1).reshape(SIDE, SIDE)
    paper = rng.uniform(0, 90)
    ink = rng.uniform(150, 255)
    picture = paper + (ink - paper) * picture
    picture += np.linspace(-1, 1, SIDE) * rng.uniform(-25, 25)  # light from one side
    if rng.random() < 0.5:
        picture = 255 - picture
    picture += rng.normal(0, rng.uniform(0, 18), (SIDE, SIDE))
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def make_pictures(rng, drawn, digits, times):
    """Every glyph @times times. uint8 [n, 28, 28, 1] and classes."""
    pictures = [distort(rng, glyph) for _ in range(times) for glyph in drawn]
    return np.array(pictures)[..., None], np.tile(digits, times)


def sample_seven():
    """The picture that edged ships: a face of the test fonts, larger than the model's input."""
    glyph = draw(os.path.join(FONTS, "truetype/crosextra/Carlito-Regular.ttf"), 7)
    picture = Image.fromarray(np.uint8(245 - 225 * glyph)).resize((112, 112), Image.BICUBIC)
    return picture.rotate(4, fillcolor=245, resample=Image.BICUBIC)
