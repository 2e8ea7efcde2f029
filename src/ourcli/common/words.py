"""Words the answer check must know: numbers, units, months, and English that is no name though capitalised."""

from collections.abc import Mapping

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"

NUMBER_WORDS: Mapping[str, int] = (
    {word: number for number, word in enumerate(_SMALL.split())}
    | {word: 10 * (number + 2) for number, word in enumerate(_TENS.split())}
    | {"hundred": 100, "thousand": 1000}
)
"""Written-out numbers."""

SCALES: Mapping[str, int] = {"k": 1000, "thousand": 1000, "million": 10**6, "billion": 10**9}
"""What stands after digits and multiplies them."""


def _units(dimension: str, table: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (factor, dimension) for names, factor in table.items() for name in names.split()}


UNITS: Mapping[str, tuple[str, str]] = {
    **_units(
        "s",
        {
            "ns nanosecond nanoseconds": "0.000000001",
            "us µs microsecond microseconds": "0.000001",
            "ms msec millisecond milliseconds": "0.001",
            "s sec secs second seconds": "1",
            "m min mins minute minutes": "60",
            "h hr hrs hour hours": "3600",
            "d day days": "86400",
            "w week weeks": "604800",
        },
    ),
    **_units("month", {"month months": "1", "quarter quarters": "3", "year years yr yrs": "12"}),
    **_units(
        "B",
        {
            "B byte bytes": "1",
            "KB kB kilobyte kilobytes KiB": "1024",
            "MB megabyte megabytes MiB": "1048576",
            "GB gigabyte gigabytes GiB": "1073741824",
            "TB terabyte terabytes TiB": "1099511627776",
        },
    ),
    **_units("%", {"% percent": "1"}),
}
"""Unit -> factor and dimension. Binary and decimal byte units count as the same: people mix them."""

_MONTH_NAMES = "january february march april may june july august september october november december"
MONTHS: Mapping[str, int] = {
    spelling: number for number, name in enumerate(_MONTH_NAMES.split(), start=1) for spelling in {name, name[:3]}
}
"""Month -> 1..12, in full and by three letters."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set; lists of many words read better as text."""
    return frozenset(text.split())


KNOWN_ACRONYMS = word_set(
    """
    AI API CLI CPU CSS CSV DB DNS FAQ GPU GUI HTML HTTP HTTPS ID IDE IO IP JSON LLM OK OS PDF RAM REST SDK SQL SSD
    SSH KB MB GB TB TCP TLS TODO TTL UI URI URL USA UTC UTF UUID UX VM XML YAML AM PM NOT AND OR IF NO YES ALL NB PS
    TBD
    """
)
"""Acronyms that say nothing about the user's own affairs."""

COMMON_WORDS = word_set(
    """
    a able about above access according across act action add added adding additional additionally address
    advantages advice after again against all allow allows almost along already also although always am among an and
    another answer any anyone anything app application applications apply approach are area around as aside aspect
    at authentication authorization availability available avoid away back backend bandwidth base based basic
    basically be because become been before begin behind being below benefit best better between both brief briefly
    build built but by cache caching call called calls can cannot capacity case cases cause certain change changes
    check choice choose class clear clearly client code collection column command common component components
    conclusion config configuration cons consequently consider consistency contains content context control could
    create created current currently data database day days dear decide decided decision decisions default define
    depending deploy deployment description design detail details developer developers development did difference
    different directly disadvantages distributed do document documentation does done down dr due during each earlier
    early easy edit effect efficient either else encryption end english ensure ensures entire entry error errors
    especially etc even event events ever every everyone everything evict eviction evidence exact exactly example
    examples except existing expect expiration expire expiry explanation fact facts fallback false feature features
    feedback few field file files final finally find first fix folder follow following follows food for form format
    found frequently from frontend full fully function functions further furthermore general generally get give
    given gives go goal going good got great group had handle happen hardware has hash have having he hello help
    helps hence her here hey hi high higher him his hit how however i idea if implement implementation implementing
    important improve in include includes including indeed information initial input inside install instead internet
    into invalidation is issue issues it item items its itself job just keep key key-value keys kind know known
    language large last latency later latest layer layers least less let level library like likely limit limits line
    lines link list live load local log logs long longer look low lower made main maintain make makes making manage
    management many map match may maybe me mean means meanwhile meet meeting member members memory message method
    might mind miss mode model module money monitor monitoring more moreover most move mr mrs ms much music must my
    name named namely near necessary need needed needs never new next no none nor not note notes nothing now number
    object of off often old on once one ones only onto open operation optimise optimize option optional options or
    order other others otherwise our out output over overall overview own page paper part particular path per
    perform performance perhaps person plan please point points policy possible previous previously primary privacy
    problem procedure process production program progress project property pros provide provided provides purpose
    purposes put quality question questions quick quickly quite range rate rather read read-through reading ready
    really reason reasons recent recently recipe record records reduce refer reference regarding related release
    reliability remember reply report request requests require required requires research reset resource respect
    response rest result results return returns review right role rule rules run running runs safe same save say
    says scalability second section security see seems select send separate serve server service session set sets
    setting settings setup several shall she short should show shows similar similarly simple simply since single
    size small so software solution some someone something sometimes soon sorry source space specific specifically
    speed stage standard start state stated statement status step steps still stop storage store stored strategy
    string structure style such suggest summary support sure system systems table tag take task team teams
    technology tell term test testing tests text than thank thanks that the their them then there therefore these
    they thing things think this those though through throughout throughput thus time times tip title to today
    together too tool tools top total toward traffic true trust try turn type types typically under unless until up
    update updated updates upon us usage use used useful user users uses using usually valid value values various
    version very via view want warning was water way ways we web well were what whatever when where whether which
    while who whole whom whose why will with within without word words work works would write writes writing written
    yes yet you your yours yourself
    """
)
"""English that may stand capitalised at the start of a sentence or heading without being a name."""


def stem(word: str) -> str:
    """Return a lower-case word without its plural ending."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
