"""Role cases: which of two living beings acts on the other, as a caption says by the order of its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vlcheck.cases.case import MASK
from vlcheck.cases.words import Token, join_tokens
from vlcheck.datasets.coco.photograph import Draft, Finding, ParsedCaption, PhotographFacts
from vlcheck.datasets.lexicons.tables import Number

_PASSIVE = "passive "
_SOMEBODY = {"one": "somebody", "many": "some people"}
_AN_ANIMAL = {"one": "an animal", "many": "some animals"}
_SINGULAR = frozenset({"a", "an", "one"})


@dataclass(frozen=True)
class _Being:
    """A living being that a caption names.

    Attributes:
        at: the index of its word.
        start: the index of the first word of the phrase that names it: "a" in "a small dog".
        word: the word in lower case.
        kind: the category that the word names, or the word itself.
        number: whether the phrase is about one or several.
        bounded: whether the beginning of its phrase is known.
    """

    at: int
    start: int
    word: str
    kind: str
    number: Number
    bounded: bool


@dataclass(frozen=True)
class _Act:
    """An act of the first of a caption's beings on the second: "is feeding" in "a man in a hat is feeding a giraffe".

    Attributes:
        name: the act; "" if both may act on each other.
        start: the index of its first word.
        agent: the being that acts.
        patient: the being that is acted on.
    """

    name: str
    start: int
    agent: _Being
    patient: _Being


def find_roles(facts: PhotographFacts) -> Iterator[Finding]:
    """Yield one finding for the first two beings of a caption: who acts, and who is acted on."""
    for caption in facts.captions:
        if beings := _beings(facts, caption):
            yield (beings[0].word, beings[1].word), _read(facts, caption, beings)


def _read(facts: PhotographFacts, caption: ParsedCaption, beings: list[_Being]) -> Draft | str:
    one, other = beings[:2]
    act = _act(facts, caption, one, other)
    if act and act.name:
        return _why_not(facts, caption, one, other) or _contradicted(facts, act) or _acting(facts, caption, act)
    if len(beings) == 2 and _each_does(facts, caption, one, other):
        return _why_not(facts, caption, one, other) or _together(facts, caption, one, other)
    return "act may hold both ways" if act else "caption has no known act between the two"


def _beings(facts: PhotographFacts, caption: ParsedCaption) -> list[_Being]:
    """Return the living beings that a caption names, at least two or none; phrases such as "hot dog" name none."""
    words = facts.lexicons.beings
    named = [at for at, token in enumerate(caption.tokens) if token.word in words and at not in caption.hidden]
    return [_being(facts, caption, at) for at in named] if len(named) > 1 else []


def _being(facts: PhotographFacts, caption: ParsedCaption, at: int) -> _Being:
    lexicons, tokens = facts.lexicons, caption.tokens
    kind, numbers = lexicons.beings[tokens[at].word]
    start = at
    while start and _modifies(facts, tokens[start - 1]):
        start -= 1
    begun = [found.start for found in lexicons.determiners.find(tokens[:start]) if found.end == start]
    single = begun == [start - 1] and tokens[start - 1].word in _SINGULAR
    number: Number = numbers[0] if len(numbers) == 1 or single else "many"
    bounded = bool(begun) or start == 0 or tokens[start - 1].word == "of"
    return _Being(at, begun[0] if begun else start, tokens[at].word, kind, number, bounded)


def _modifies(facts: PhotographFacts, token: Token) -> bool:
    modifiers, colors = facts.lexicons.roles.modifiers, facts.lexicons.colors_of(token.word)
    return (token.word in modifiers or bool(colors)) and not token.possessive


def _act(facts: PhotographFacts, caption: ParsedCaption, agent: _Being, patient: _Being) -> _Act | None:
    """Return the act of the first being on the second, if there is a known one."""
    lexicons, tokens = facts.lexicons, caption.tokens
    acts = [found for found in lexicons.acts.find(tokens) if found.end == patient.start and found.start > agent.at]
    if not acts or tokens[patient.start - 1].gap.strip():
        return None
    start = acts[0].start
    while start > agent.at + 1 and tokens[start - 1].word in lexicons.roles.auxiliaries:
        start -= 1
    direct = start == agent.at + 1
    verb = tokens[acts[0].start].word.endswith(("ing", "s"))
    if not direct and (not verb or _turns(facts, caption, agent.at + 1, start)):
        return None
    return _Act(acts[0].meaning, start, agent, patient)


def _turns(facts: PhotographFacts, caption: ParsedCaption, start: int, end: int) -> bool:
    """Return True if the words between two places may be about somebody else."""
    lexicons = facts.lexicons
    named = (sense for found in caption.named if start <= found.start < end for sense in found.meaning)
    words = (token.word for token in caption.tokens[start:end])
    return any(sense.category in lexicons.living for sense in named) or not lexicons.roles.turns.isdisjoint(words)


def _why_not(facts: PhotographFacts, caption: ParsedCaption, agent: _Being, patient: _Being) -> str:
    """Return why the two beings cannot be exchanged, or ""."""
    lexicons, tokens = facts.lexicons, caption.tokens
    if unsettled := lexicons.stops.unsettles(caption.words):
        return unsettled
    if not facts.likenesses.isdisjoint({agent.kind, patient.kind}):
        return "a caption says that one of the two is a likeness"
    if agent.word == patient.word or not (caption.names_once(agent.word) and caption.names_once(patient.word)):
        return "caption names one of the two more than once"
    if _alike(facts, agent, patient):
        return "both words may be true of one being"
    if agent.number != patient.number:
        return "one and several cannot change places"
    if agent.start and tokens[agent.start - 1].word in (*lexicons.roles.joints, "or"):
        return "several act together"
    whole = agent.bounded and not tokens[agent.at].possessive and not tokens[agent.at].gap.strip()
    if not whole or not lexicons.stops.closes(tokens, patient.at):
        return "noun is part of a longer one"
    if _disputed(facts, caption, agent) or _disputed(facts, caption, patient):
        return "captions disagree about the person"
    return ""


def _alike(facts: PhotographFacts, one: _Being, other: _Being) -> bool:
    """Return True if both words may be true of the same being, as "lady" and "woman", or "person" and "man"."""
    roles, person = facts.lexicons.roles, facts.lexicons.persons.category
    if one.kind == other.kind == person:
        return not roles.exclude(one.word, other.word)
    animals = person not in (one.kind, other.kind)
    return one.kind == other.kind or (animals and not roles.generic.isdisjoint({one.word, other.word}))


def _disputed(facts: PhotographFacts, caption: ParsedCaption, being: _Being) -> bool:
    """Return True if another caption has a contradicting word in the person's place."""
    contrary, named = facts.lexicons.persons.contrary.values(), {token.word for token in caption.tokens}
    own = frozenset().union(*(words for words in contrary if being.word in words))
    others = frozenset().union(*(words for words in contrary if words.isdisjoint(named)))
    said = ({token.word for token in one.tokens} for one in facts.captions)
    return bool(own) and any(own.isdisjoint(words) and not others.isdisjoint(words) for words in said)


def _contradicted(facts: PhotographFacts, act: _Act) -> str:
    """Return a reason if another caption has the same act in the other direction, or ""."""
    verb, doer, other = _told(act)
    if doer != other and (verb, other, doer) in map(_told, _acts(facts)):
        return "captions say it of both"
    return ""


def _told(act: _Act) -> tuple[str, str, str]:
    """Return the verb, the kind of being that does it, and the kind that it is done to."""
    verb = act.name.removeprefix(_PASSIVE)
    kinds = (act.agent.kind, act.patient.kind)
    return (verb, *(kinds if verb == act.name else kinds[::-1]))


def _acts(facts: PhotographFacts) -> Iterator[_Act]:
    for caption in facts.captions:
        beings = _beings(facts, caption)
        act = _act(facts, caption, *beings[:2]) if len(beings) > 1 else None
        if act:
            yield act


def _acting(facts: PhotographFacts, caption: ParsedCaption, act: _Act) -> Draft:
    person = facts.lexicons.persons.category
    somebody = (_SOMEBODY if act.agent.kind == person else _AN_ANIMAL)[act.agent.number]
    does = join_tokens(caption.tokens[act.start : act.patient.at])
    bare = f"{somebody} {does} {MASK}".replace(f" an {MASK}", f" a {MASK}")
    return _case(facts, caption, act.agent, act.patient, bare)


def _each_does(facts: PhotographFacts, caption: ParsedCaption, one: _Being, other: _Being) -> bool:
    """Return True if two persons are joined, each with something that only this one wears, holds or does."""
    lexicons, tokens = facts.lexicons, caption.tokens
    joints = [found.start for found in lexicons.joints.find(tokens) if found.end == other.start]
    persons = one.kind == other.kind == lexicons.persons.category
    if not persons or not joints or _turns(facts, caption, one.at + 1, joints[0]):
        return False
    does = tokens[one.at + 1 : joints[0]], tokens[other.at + 1 :]
    first, second = ({token.word for token in each} for each in does)
    gendered = frozenset().union(*lexicons.persons.contrary.values())
    if first <= second or second <= first or not gendered.isdisjoint(first | second):
        return False
    return all(_does(lexicons.roles.doings, each[0].word) for each in does)


def _does(doings: frozenset[str], word: str) -> bool:
    return word in doings or (word.endswith("ing") and len(word) > len("ring"))


def _together(facts: PhotographFacts, caption: ParsedCaption, one: _Being, other: _Being) -> Draft:
    """Return a case on the second of two persons, who does the act that is named last."""
    told = join_tokens(caption.tokens[other.at + 1 :])
    return _case(facts, caption, one, other, f"a {MASK} {told}" if other.number == "one" else f"some {MASK} {told}")


def _case(facts: PhotographFacts, caption: ParsedCaption, agent: _Being, patient: _Being, bare: str) -> Draft:
    return facts.case(
        "role",
        [agent.word, patient.word],
        caption=caption.text,
        target=patient.word,
        bare=bare,
        tags=facts.names(caption) | ({facts.lexicons.persons.category} & {agent.kind, patient.kind}),
        candidates=lambda: (agent.word,),
        about=frozenset({agent.kind, patient.kind}),
        region=facts.box(patient.kind),
        other_region=facts.box(agent.kind) if agent.kind != patient.kind else (),
    )
