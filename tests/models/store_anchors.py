#!/usr/bin/env python3
"""A model of commits, anchors and starts (docs/adr/0026), searched through whole.

One server, two shards, one number in the token, and somebody who copies the database at any moment,
puts all of it or one shard back, also beside the running server. The server may be killed between
any two steps. Two properties: a server that serves has every change that was answered after its
anchor; and a start after mere kills succeeds. Each wrong variant must be found wrong.
usage: store_anchors.py [VARIANT]   prints the shortest way to a broken property
"""

import collections
import sys

SHARDS = (0, 1)
CHANGES, KILLS, PUT_BACKS, ANCHORS = 3, 2, 2, 6

VARIANTS = {
    "answer-at-once": "a change that lowers rights is answered before its anchor",
    "number-only": "the anchor holds no generations of the shards",
    "token-first": "the token is written before the anchor is committed",
    "no-catching-up": "a start does not write the number that the token missed",
    "late-cover": "an anchor answers for changes that were committed after it",
    "generations-from-file": "the anchor's generations are read from the file, not remembered",
}

# The database: the anchor's number and generations, and of each shard generation and content.
# `content` counts the changes that lower rights; a shard with less of them has them undone.
Database = collections.namedtuple("Database", "number vector shards")
# A process: its step ("catch-up", "anchor", "serve"), the generations and contents it remembers,
# and what the anchor that is committed but not in the token covers.
Process = collections.namedtuple("Process", "step known contents covered")
State = collections.namedtuple("State", "database token process copy answered left attacked")
Left = collections.namedtuple("Left", "changes kills put_backs")


def replaced(values, index, value):
    return values[:index] + (value,) + values[index + 1:]


def most(a, b):
    return tuple(max(x, y) for x, y in zip(a, b))


def start_refused(database, token, variant):
    if database.number not in (token, token + 1):
        return True
    if variant == "number-only":
        return False
    return any(shard[0] < least for shard, least in zip(database.shards, database.vector))


def started(state):
    shards = state.database.shards
    return state._replace(process=Process("catch-up", tuple(s[0] for s in shards),
                                          tuple(s[1] for s in shards), None))


def anchored(state, variant):
    """The transaction of an anchor."""
    process, database = state.process, state.database
    known = process.known
    if variant == "generations-from-file":
        known = tuple(shard[0] for shard in database.shards)
    fresh = database._replace(number=database.number + 1, vector=known)
    return state._replace(database=fresh, process=process._replace(covered=process.contents))


def written(state, variant):
    """The number goes into the token, and what waited for it is answered."""
    process = state.process
    covered = process.contents if variant == "late-cover" else process.covered
    return state._replace(token=state.database.number, answered=most(state.answered, covered),
                          process=process._replace(covered=None, step="serve"))


def serving(state, variant):
    """The steps of a process that is up."""
    process, database = state.process, state.database
    if process.step == "catch-up":
        caught = state._replace(process=process._replace(step="anchor"))
        if variant != "no-catching-up":
            caught = caught._replace(token=database.number)
        yield "start: catch up", caught
        return
    if process.covered is None and database.number < ANCHORS:
        if variant == "token-first":
            yield "write the token", state._replace(
                token=database.number + 1, process=process._replace(covered=process.contents))
        else:
            yield "commit an anchor", anchored(state, variant)
    elif process.covered is not None:
        if variant == "token-first":
            done = anchored(state, variant)
            yield "commit an anchor", done._replace(
                answered=most(state.answered, process.covered),
                process=done.process._replace(covered=None, step="serve"))
        else:
            yield "write the token", written(state, variant)
    if process.step == "serve" and state.left.changes:
        for shard in SHARDS:
            generation, content = database.shards[shard]
            if generation != process.known[shard]:
                continue  # changed beneath the server: refused
            now = (generation + 1, content + 1)
            contents = replaced(process.contents, shard, now[1])
            changed = state._replace(
                database=database._replace(shards=replaced(database.shards, shard, now)),
                process=process._replace(known=replaced(process.known, shard, now[0]),
                                         contents=contents),
                left=state.left._replace(changes=state.left.changes - 1))
            if variant == "answer-at-once":
                changed = changed._replace(answered=most(state.answered, contents))
            yield f"change shard {shard}", changed


def intruder(state):
    if state.copy != state.database:
        yield "copy the database", state._replace(copy=state.database)
    if state.copy is None or not state.left.put_backs:
        return
    left = state.left._replace(put_backs=state.left.put_backs - 1)
    if state.process is None:
        yield "put the copy back", state._replace(database=state.copy, left=left, attacked=True)
    for shard in SHARDS:
        shards = replaced(state.database.shards, shard, state.copy.shards[shard])
        yield f"put shard {shard} back", state._replace(
            database=state.database._replace(shards=shards), left=left, attacked=True)


def steps(state, variant):
    yield from intruder(state)
    if state.process is None:
        if not start_refused(state.database, state.token, variant):
            yield "start", started(state)
        return
    yield from serving(state, variant)
    if state.left.kills:
        yield "kill", state._replace(
            process=None, left=state.left._replace(kills=state.left.kills - 1))


def broken(state, variant):
    if state.process is None and not state.attacked:
        if start_refused(state.database, state.token, variant):
            return "a start after mere kills is refused"
    # What is changed beneath a server that is up is the business of its own checks.
    if state.process is not None and state.process.step == "catch-up":
        if any(has < answered for has, answered in zip(state.process.contents, state.answered)):
            return "a change that was answered is undone"
    return None


def search(variant=None):
    """The number of states, and the way to a broken property where there is one."""
    nothing = ((0, 0),) * len(SHARDS)
    first = State(Database(0, (0,) * len(SHARDS), nothing), 0, None, None, (0,) * len(SHARDS),
                  Left(CHANGES, KILLS, PUT_BACKS), False)
    came_from = {first: None}
    waiting = collections.deque([first])
    while waiting:
        state = waiting.popleft()
        why = broken(state, variant)
        if why:
            way = [why]
            while came_from[state]:
                state, step = came_from[state]
                way.insert(0, step)
            return len(came_from), way
        for step, after in steps(state, variant):
            if after not in came_from:
                came_from[after] = (state, step)
                waiting.append(after)
    return len(came_from), None


def main():
    variants = sys.argv[1:] or [None, *VARIANTS]
    wrong = 0
    for variant in variants:
        states, way = search(variant)
        good = (way is None) == (variant is None)
        wrong += not good
        found = "holds" if way is None else " -> ".join(way)
        print(f"{'ok  ' if good else 'FAIL'} {variant or 'the protocol'}: {states} states, {found}")
    print(f"{len(variants) - wrong} passed, {wrong} failed, 0 skipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
