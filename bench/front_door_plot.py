#!/usr/bin/env python3
"""Medians of bench/front_door.sh's rounds, judged and drawn. usage: front_door_plot.py ROUNDS [--no-verdict] [SVG]"""
import statistics
import sys

GROUPS = (("HTTP", (("Pistache's hello world", 0), ("Coffer, constant answer", 1))),
          ("HTTPS", (("Pistache's hello world", 2), ("Coffer, constant answer", 3), ("Coffer, encryption", 4))))
COLOURS = ("#9aa5b1", "#2f6f4f", "#7fb294")
WIDTH, BAR, GAP, LEFT = 720, 26, 10, 190


def bar(y, text, value, longest, colour):
    length = (WIDTH - LEFT - 110) * value / longest
    return (f'<text x="{LEFT - 8}" y="{y + 18}" text-anchor="end">{text}</text>'
            f'<rect x="{LEFT}" y="{y}" width="{length:.0f}" height="{BAR}" fill="{colour}"/>'
            f'<text x="{LEFT + length + 6:.0f}" y="{y + 18}">{value:,.0f}/s</text>')


def draw(medians, path):
    longest = max(medians)
    parts, y = [], 34
    for name, bars in GROUPS:
        parts.append(f'<text x="8" y="{y + 12}" font-weight="bold">{name}</text>')
        y += 20
        for index, (text, column) in enumerate(bars):
            parts.append(bar(y, text, medians[column], longest, COLOURS[index]))
            y += BAR + GAP
        y += 8
    title = '<text x="8" y="18" font-weight="bold">1 KiB POST, kept alive, requests per second (median of windows)</text>'
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif" font-size="13">'
                  f'<rect width="100%" height="100%" fill="white"/>{title}{"".join(parts)}</svg>\n')


def main():
    with open(sys.argv[1], encoding="ascii") as rounds:
        rows = [[float(word) for word in line.split()[1:]] for line in rounds if line[0].isdigit()]
    medians = [statistics.median(column) for column in zip(*rows)]
    print("median " + " ".join(f"{value:.0f}" for value in medians))
    good = True
    for name, ours, theirs in (("HTTP", 1, 0), ("HTTPS", 3, 2)):
        ratio = statistics.median(row[ours] / row[theirs] for row in rows)
        good = good and ratio >= 1
        verdict = "" if "--no-verdict" in sys.argv else f"  goal 1.0: {'pass' if ratio >= 1 else 'fail'}"
        print(f"constant answer / Pistache's hello world, {name}: {ratio:.2f}{verdict}")
    if sys.argv[-1].endswith(".svg"):
        draw(medians, sys.argv[-1])
    return 0 if good or "--no-verdict" in sys.argv else 1


if __name__ == "__main__":
    sys.exit(main())
