#!/usr/bin/env python3
"""Medians of windows that took turns. usage: paired.py ROUNDS FIRST SECOND

ROUNDS is a file of lines "NAME RATE RATE", the rates of two neighbours; FIRST and SECOND are their columns' titles. Prints a line for
each name: the medians of both rates, the median of the ratios of the first to the second, and the quartiles of these ratios.
"""
import statistics
import sys


def line(*words):
    return f"{words[0]:<20}" + "".join(f"{word:>12}" for word in words[1:])


def main(path, first, second):
    pairs = {}
    with open(path, encoding="ascii") as file:
        for name, one, other in map(str.split, file):
            pairs.setdefault(name, []).append((float(one), float(other)))
    print(line("median", first, second, "ratio", "quartile", "quartile"))
    for name, both in pairs.items():
        ratios = [one / other for one, other in both]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
        print(line(name, *(f"{statistics.median(column):.0f}" for column in zip(*both)),
                   *(f"{ratio:.3f}" for ratio in (middle, low, high))))


if __name__ == "__main__":
    main(*sys.argv[1:])
