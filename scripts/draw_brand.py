"""Draw the pictures in custom_components/airplay/brand with Pillow.

The picture is a house with a speaker: sound waves rise from it as roofs.
"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parents[1] / "custom_components" / "airplay" / "brand"
# Drawn on a grid of 256 at several times the size, and scaled down.
GRID = 256
SCALE = 8

type Colour = tuple[int, int, int]
type Point = tuple[float, float]

LIGHT: tuple[Colour, Colour] = ((20, 110, 160), (15, 160, 150))
DARK: tuple[Colour, Colour] = ((95, 190, 240), (85, 220, 200))


def stroke(
    draw: ImageDraw.ImageDraw, points: list[Point], width: float, fill: int
) -> None:
    """Draw a line with round ends and corners."""
    scaled = [(x * SCALE, y * SCALE) for x, y in points]
    draw.line(scaled, fill=fill, width=round(width * SCALE))
    for x, y in points:
        disc(draw, (x, y), width / 2, fill)


def disc(draw: ImageDraw.ImageDraw, centre: Point, radius: float, fill: int) -> None:
    """Draw a filled circle."""
    x, y = centre
    box = [(x - radius) * SCALE, (y - radius) * SCALE]
    box += [(x + radius) * SCALE, (y + radius) * SCALE]
    draw.ellipse(box, fill=fill)


def roof(draw: ImageDraw.ImageDraw, top: float, reach: float) -> None:
    """Draw one roof, which is also a wave of sound."""
    slope = 0.72
    ends = [
        (128 - reach, top + reach * slope),
        (128, top),
        (128 + reach, top + reach * slope),
    ]
    stroke(draw, ends, 17, 255)


def shape() -> Image.Image:
    """Draw the mask of the picture."""
    mask = Image.new("L", (GRID * SCALE, GRID * SCALE), 0)
    draw = ImageDraw.Draw(mask)
    roof(draw, 22, 108)
    roof(draw, 58, 76)
    body = [(72, 158), (72, 136), (128, 96), (184, 136), (184, 232), (72, 232)]
    draw.polygon([(x * SCALE, y * SCALE) for x, y in body], fill=255)
    stroke(draw, [*body, body[0]], 12, 255)
    disc(draw, (128, 187), 37, 0)
    disc(draw, (128, 187), 19, 255)
    disc(draw, (128, 127), 11, 0)
    return mask


def gradient(colours: tuple[Colour, Colour]) -> Image.Image:
    """Fill a square with a gradient from the top to the bottom color."""
    top, bottom = colours
    column = Image.new("RGB", (1, GRID))
    for y in range(GRID):
        part = y / (GRID - 1)
        mixed = [round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True)]
        column.putpixel((0, y), (mixed[0], mixed[1], mixed[2]))
    return column.resize((GRID * SCALE, GRID * SCALE))


def main() -> None:
    """Write all sizes and variants."""
    FOLDER.mkdir(exist_ok=True)
    mask = shape()
    for prefix, colours in (("", LIGHT), ("dark_", DARK)):
        picture = gradient(colours).convert("RGBA")
        picture.putalpha(mask)
        for suffix, size in (("", 256), ("@2x", 512)):
            scaled = picture.resize((size, size), Image.Resampling.LANCZOS)
            scaled.save(FOLDER / f"{prefix}icon{suffix}.png", optimize=True)


if __name__ == "__main__":
    main()
