/**
 * The states of the parser of texts. Which tokens a text has is what PostgreSQL's default parser says, so the states are those of its
 * tables (src/backend/tsearch/wparser_def.c, whose licence is in THIRD-PARTY.md) in a notation of our own. A line is a state and its rules, tried in order:
 *
 *   state | condition action [target] [= kind] [, condition action ...]
 *
 *   conditions  end, ascii (a letter), alpha, digit, alnum, space, special (no letter, and no end of a word), hex, url,
 *               notalnum, ignored (inside of <script> and <style>), any, x (that character), and three that look ahead:
 *               host, path, stop (asked for a host, which ends here)
 *   actions     go        passes over the character
 *               try       goes, and comes back to the next rule if what is tried fails
 *               fail      back to the try
 *               sure      goes and forgets the last try
 *               join      back to the state that tried, but not to its place
 *               token     ends a token of the kind; `token1` forgets the last try too, `token*` all of them
 *               back      stays where it is
 *               version   goes back to the beginning of the token
 *   suffixes    /tags looks for scripts and styles; /again reads the token again, for its parts; /host the same, for host and path
 */
export const STATE_LINES = `
Base | end go, < try TagFirst, ignored go Space, ascii go AsciiWord, alpha go Word, digit go UnsignedInt, - try SignedFirst, + try SignedFirst, & try EntityFirst, ~ try FileTilde, / try FileFirst, . try PathFirstFirst, any go Space
NumWord | end token Base = 3, alnum go, special go, @ try Email, / try FileFirst, . try FileNext, - try HyphenNumFirst, any token Base = 3
AsciiWord | end token Base = 1, ascii go, . try HostFirstDomain, . try FileNext, - try HostFirst, - try HyphenAsciiFirst, _ try HostFirst, @ try Email, : try ProtocolFirst, / try FileFirst, digit try Host, digit go NumWord, alpha go Word, special go Word, any token Base = 1
Word | end token Base = 2, alpha go, special go, digit go NumWord, - try HyphenWordFirst, any token Base = 2
UnsignedInt | end token Base = 22, digit go, . try HostFirstDomain, . try UDecimalFirst, e try MantissaFirst, E try MantissaFirst, - try HostFirst, _ try HostFirst, @ try Email, ascii try Host, alpha go NumWord, special go NumWord, / try FileFirst, any token Base = 22
SignedFirst | end fail, digit sure SignedInt, any fail
SignedInt | end token Base = 21, digit go, . try DecimalFirst, e try MantissaFirst, E try MantissaFirst, any token Base = 21
Space | end token Base = 12, < token Base = 12, ignored go, - token Base = 12, + token Base = 12, & token Base = 12, / token Base = 12, notalnum go, any token Base = 12
UDecimalFirst | end fail, digit sure UDecimal, any fail
UDecimal | end token Base = 20, digit go, . try VersionFirst, e try MantissaFirst, E try MantissaFirst, any token Base = 20
DecimalFirst | end fail, digit sure Decimal, any fail
Decimal | end token Base = 20, digit go, . try SignedVersion, e try MantissaFirst, E try MantissaFirst, any token Base = 20
SignedVersion | end fail, digit version SignOnly, any fail
SignOnly | end fail, digit token* UnsignedInt = 12, any go
VersionFirst | end fail, digit sure Version, any fail
Version | end token Base = 8, digit go, . try VersionFirst, any token Base = 8
MantissaFirst | end fail, digit sure Mantissa, + go MantissaSign, - go MantissaSign, any fail
MantissaSign | end fail, digit sure Mantissa, any fail
Mantissa | end token Base = 7, digit go, any token Base = 7
EntityFirst | end fail, # go EntityNumFirst, ascii go Entity, : go Entity, _ go Entity, any fail
Entity | end fail, alnum go, : go, _ go, . go, - go, ; go EntityEnd, any fail
EntityNumFirst | end fail, x go EntityHexFirst, X go EntityHexFirst, digit go EntityNum, any fail
EntityHexFirst | end fail, hex go EntityHex, any fail
EntityNum | end fail, digit go, ; go EntityEnd, any fail
EntityHex | end fail, hex go, ; go EntityEnd, any fail
EntityEnd | any token1 Base = 23
TagFirst | end fail, / try TagCloseFirst, ! try CommentFirst, ? try XmlBegin, ascii try TagName, : try TagName, _ try TagName, any fail
XmlBegin | end fail, x go Tag, any fail
TagCloseFirst | end fail, ascii go TagName, any fail
TagName | end fail, / go TagBeginEnd, > go/tags TagEnd, space go/tags Tag, alnum go, : go, _ go, . go, - go, any fail
TagBeginEnd | end fail, > go TagEnd, any fail
Tag | end fail, > go/tags TagEnd, ' go TagQuote, " go TagQuotes, ascii go, digit go, = go, - go, _ go, # go, / go, : go, . go, & go, ? go, % go, ~ go, space go/tags, any fail
TagQuote | end fail, \\ try TagEscape, ' go Tag, any go
TagQuotes | end fail, \\ try TagEscape, " go Tag, any go
TagEscape | end fail, any join
TagEnd | any token* Base = 13
CommentFirst | end fail, - go CommentLast, D go Tag, d go Tag, any fail
CommentLast | end fail, - go Comment, any fail
Comment | end fail, - go CommentCloseFirst, any go
CommentCloseFirst | end fail, - go CommentCloseLast, any go Comment
CommentCloseLast | end fail, - go, > go CommentEnd, any go Comment
CommentEnd | any token* Base = 13
HostFirstDomain | end fail, ascii go HostSecond, digit go Host, any fail
HostSecond | end fail, ascii go HostDomain, digit try Host, - try HostFirst, _ try HostFirst, . try HostFirstDomain, @ try Email, any fail
HostDomain | end token* Base = 6, ascii go, digit try Host, : try PortFirst, - try HostFirst, _ try HostFirst, . try HostFirstDomain, @ try Email, digit fail, stop token* UrlPathStart = 6, / try FullUrl, any token* Base = 6
PortFirst | end fail, digit go Port, any fail
Port | end token* Base = 6, digit go, stop token* UrlPathStart = 6, / try FullUrl, any token* Base = 6
HostFirst | end fail, digit go Host, ascii go Host, any fail
Host | end fail, digit go, ascii go, @ try Email, . try HostFirstDomain, - try HostFirst, _ try HostFirst, any fail
Email | stop fail, host token* Base = 4, any fail
FileFirst | end fail, ascii go File, digit go File, . go PathFirst, _ go File, ~ try FileTilde, any fail
FileTilde | end fail, ascii go File, digit go File, _ go File, / go FileFirst, any fail
PathFirst | end fail, ascii go File, digit go File, _ go File, . go PathSecond, / go FileFirst, any fail
PathFirstFirst | end fail, . go PathSecond, / go FileFirst, any fail
PathSecond | end token1 Base = 19, / try FileFirst, / token1 Base = 19, space token1 Base = 19, any fail
File | end token Base = 19, ascii go, digit go, . try FileNext, _ go, - go, / try FileFirst, any token Base = 19
FileNext | end fail, ascii sure File, digit sure File, _ sure File, any fail
UrlPathFirst | end fail, url sure UrlPath, any fail
UrlPathStart | any go UrlPath
UrlPath | end token Base = 18, url go, any token Base = 18
FullUrl | end fail, path token*/host Base = 5, any fail
ProtocolFirst | end fail, / go ProtocolSecond, any fail
ProtocolSecond | end fail, / go ProtocolEnd, any fail
ProtocolEnd | any token* Base = 14
HyphenAsciiFirst | end fail, ascii go HyphenAscii, alpha go HyphenWord, digit go HyphenDigits, any fail
HyphenAscii | end token*/again Hyphens = 16, ascii go, alpha go HyphenWord, special go HyphenWord, digit go HyphenNum, - try HyphenAsciiFirst, any token*/again Hyphens = 16
HyphenWordFirst | end fail, alpha go HyphenWord, digit go HyphenDigits, any fail
HyphenWord | end token*/again Hyphens = 17, alpha go, special go, digit go HyphenNum, - try HyphenWordFirst, any token*/again Hyphens = 17
HyphenNumFirst | end fail, alpha go HyphenNum, digit go HyphenDigits, any fail
HyphenNum | end token*/again Hyphens = 15, alnum go, special go, - try HyphenNumFirst, any token*/again Hyphens = 15
HyphenDigits | end fail, digit go, alpha go HyphenNum, special go HyphenNum, any fail
Hyphens | end back Base, ascii go AsciiPart, alpha go WordPart, digit try PartDigits, - try HyphenBetween, any back Base
HyphenBetween | end fail, alnum token1 Hyphens = 12, special token1 Hyphens = 12, any fail
WordPart | end token Base = 10, alpha go, special go, digit go NumPart, any token Hyphens = 10
AsciiPart | end token Base = 11, ascii go, alpha go WordPart, special go WordPart, digit go NumPart, any token Hyphens = 11
NumPart | end token Base = 9, alnum go, special go, any token Hyphens = 9
PartDigits | end fail, digit go, alpha sure NumPart, special sure NumPart, any fail
`;
