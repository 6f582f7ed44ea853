/**
 * Names of time zones beside IANA's: the abbreviations that date-time text may hold (PostgreSQL's default set; `D` marks
 * daylight saving; some stand for a zone and mean what that zone meant then), and the abbreviations that zones are shown
 * by (standard and daylight). Zones that are not listed are shown by their offset. Intl knows neither.
 */

const ABBREVIATIONS = `
eat=10800 sast=7200 wat=3600 act=-18000 akdt=-28800D akst=-32400 art=America/Argentina/Buenos_Aires
arst=America/Argentina/Buenos_Aires bot=-14400 bra=-10800 brst=-7200D brt=-10800 cot=-18000 cdt=-18000D clst=-10800D
clt=America/Santiago cst=-21600 edt=-14400D egst=0D egt=-3600 est=-18000 fnt=-7200 fnst=-3600D gft=-10800
gyt=America/Guyana mdt=-21600D mst=-25200 ndt=-9000D nft=-12600 nst=-12600 pet=-18000 pdt=-25200D pmdt=-7200D
pmst=-10800 pst=-28800 pyst=-10800D pyt=America/Asuncion uyst=-7200D uyt=-10800 vet=America/Caracas wgst=-7200D
wgt=-10800 davt=Antarctica/Davis ddut=36000 mawt=Antarctica/Mawson aft=16200 almt=21600 almst=25200D
amst=Asia/Yerevan amt=-14400 anast=Asia/Anadyr anat=Asia/Anadyr azst=Asia/Baku azt=Asia/Baku bdt=21600 bnt=28800
bort=28800 btt=21600 cct=28800 gest=Asia/Tbilisi get=Asia/Tbilisi hkt=28800 ict=25200 idt=10800D irkst=Asia/Irkutsk
irkt=Asia/Irkutsk irt=12600 ist=7200 jayt=32400 jst=32400 kdt=36000D kgst=21600D kgt=Asia/Bishkek
krast=Asia/Krasnoyarsk krat=Asia/Krasnoyarsk kst=32400 lkt=Asia/Colombo magst=Asia/Magadan magt=Asia/Magadan
mmt=23400 myt=28800 novst=Asia/Novosibirsk novt=Asia/Novosibirsk npt=20700 omsst=Asia/Omsk omst=Asia/Omsk
petst=Asia/Kamchatka pett=Asia/Kamchatka pht=28800 pkt=18000 pkst=21600D sgt=Asia/Singapore tjt=18000
tmt=Asia/Ashgabat ulast=32400D ulat=Asia/Ulaanbaatar uzst=21600D uzt=18000 vlast=Asia/Vladivostok
vlat=Asia/Vladivostok xjt=21600 yakst=Asia/Yakutsk yakt=Asia/Yakutsk yekst=21600D yekt=Asia/Yekaterinburg adt=-10800D
ast=-14400 azost=0D azot=-3600 fkst=Atlantic/Stanley fkt=Atlantic/Stanley acsst=37800D acdt=37800D acst=34200
acwst=31500 aesst=39600D aedt=39600D aest=36000 awsst=32400D awst=28800 cadt=37800D cast=34200
lhdt=Australia/Lord_Howe lhst=37800 ligt=36000 nzt=43200 sadt=37800D wadt=28800D wast=25200 wdt=32400D gmt=0 uct=0
ut=0 utc=0 z=0 zulu=0 bst=3600D bdst=7200D cest=7200D cet=3600 cetdst=7200D eest=10800D eet=7200 eetdst=10800D
fet=10800 mest=7200D mesz=7200D met=3600 metdst=7200D mez=3600 msd=14400D msk=Europe/Moscow volt=Europe/Volgograd
wet=0 wetdst=3600D cxt=25200 iot=Indian/Chagos mut=14400 must=18000D mvt=18000 ret=14400 sct=14400 tft=18000
chadt=49500D chast=45900 chut=36000 ckt=Pacific/Rarotonga easst=Pacific/Easter east=Pacific/Easter fjst=46800D
fjt=43200 galt=-21600 gamt=-32400 gilt=43200 hst=-36000 kost=Pacific/Kosrae lint=Pacific/Kiritimati mart=-34200
mht=43200 mpt=36000 nut=Pacific/Niue nzdt=46800D nzst=43200 pgt=36000 pont=39600 pwt=32400 taht=-36000
tkt=Pacific/Fakaofo tot=46800 trut=36000 tvt=43200 vut=39600 wakt=43200 wft=43200 yapt=36000
`;

const SHOWN = `
ACST: Australia/Darwin Australia/North
ACST/ACDT: Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna
AEST: Australia/Brisbane Australia/Lindeman Australia/Queensland
AEST/AEDT: Antarctica/Macquarie Australia/ACT Australia/Canberra Australia/Currie Australia/Hobart
AEST/AEDT: Australia/Melbourne Australia/NSW Australia/Sydney Australia/Tasmania Australia/Victoria
AKST/AKDT: America/Anchorage America/Juneau America/Metlakatla America/Nome America/Sitka America/Yakutat US/Alaska
AST: America/Anguilla America/Antigua America/Aruba America/Barbados America/Blanc-Sablon America/Curacao
AST: America/Dominica America/Grenada America/Guadeloupe America/Kralendijk America/Lower_Princes America/Marigot
AST: America/Martinique America/Montserrat America/Port_of_Spain America/Puerto_Rico America/Santo_Domingo
AST: America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola
AST: America/Virgin
AST/ADT: America/Glace_Bay America/Goose_Bay America/Halifax America/Moncton America/Thule Atlantic/Bermuda
AST/ADT: Canada/Atlantic
AWST: Australia/Perth Australia/West
CAT: Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Juba Africa/Khartoum Africa/Kigali
CAT: Africa/Lubumbashi Africa/Lusaka Africa/Maputo Africa/Windhoek
CET: Africa/Algiers Africa/Tunis
CET/CEST: Africa/Ceuta Arctic/Longyearbyen Atlantic/Jan_Mayen CET Europe/Amsterdam Europe/Andorra Europe/Belgrade
CET/CEST: Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen Europe/Copenhagen
CET/CEST: Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo
CET/CEST: Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje
CET/CEST: Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb
CET/CEST: Europe/Zurich Poland
CST: America/Bahia_Banderas America/Belize America/Chihuahua America/Costa_Rica America/El_Salvador
CST: America/Guatemala America/Managua America/Merida America/Mexico_City America/Monterrey America/Regina
CST: America/Swift_Current America/Tegucigalpa Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau
CST: Asia/Shanghai Asia/Taipei Canada/Saskatchewan Mexico/General PRC ROC
CST/CDT: America/Chicago America/Havana America/Indiana/Knox America/Indiana/Tell_City America/Knox_IN
CST/CDT: America/Matamoros America/Menominee America/North_Dakota/Beulah America/North_Dakota/Center
CST/CDT: America/North_Dakota/New_Salem America/Ojinaga America/Rainy_River America/Rankin_Inlet America/Resolute
CST/CDT: America/Winnipeg CST6CDT Canada/Central Cuba US/Central US/Indiana-Starke
ChST: Pacific/Guam Pacific/Saipan
EAT: Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala
EAT: Africa/Mogadishu Africa/Nairobi Indian/Antananarivo Indian/Comoro Indian/Mayotte
EET: Africa/Tripoli Europe/Kaliningrad Libya
EET/EEST: Africa/Cairo Asia/Beirut Asia/Famagusta Asia/Gaza Asia/Hebron Asia/Nicosia EET Egypt Europe/Athens
EET/EEST: Europe/Bucharest Europe/Chisinau Europe/Helsinki Europe/Kiev Europe/Kyiv Europe/Mariehamn Europe/Nicosia
EET/EEST: Europe/Riga Europe/Sofia Europe/Tallinn Europe/Tiraspol Europe/Uzhgorod Europe/Vilnius Europe/Zaporozhye
EST: America/Atikokan America/Cancun America/Cayman America/Coral_Harbour America/Jamaica America/Panama EST Jamaica
EST/EDT: America/Detroit America/Fort_Wayne America/Grand_Turk America/Indiana/Indianapolis America/Indiana/Marengo
EST/EDT: America/Indiana/Petersburg America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac
EST/EDT: America/Indianapolis America/Iqaluit America/Kentucky/Louisville America/Kentucky/Monticello
EST/EDT: America/Louisville America/Montreal America/Nassau America/New_York America/Nipigon America/Pangnirtung
EST/EDT: America/Port-au-Prince America/Thunder_Bay America/Toronto Canada/Eastern EST5EDT US/East-Indiana
EST/EDT: US/Eastern US/Michigan
GMT: Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar
GMT: Africa/Freetown Africa/Lome Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou Africa/Sao_Tome
GMT: Africa/Timbuktu America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0
GMT: Etc/Greenwich GMT GMT+0 GMT-0 GMT0 Greenwich Iceland
GMT/BST: Europe/Belfast Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London GB GB-Eire
GMT/IST: Eire Europe/Dublin
HKT: Asia/Hong_Kong Hongkong
HST: HST Pacific/Honolulu Pacific/Johnston US/Hawaii
HST/HDT: America/Adak America/Atka US/Aleutian
IST: Asia/Calcutta Asia/Kolkata
IST/IDT: Asia/Jerusalem Asia/Tel_Aviv Israel
JST: Asia/Tokyo Japan
KST: Asia/Pyongyang Asia/Seoul ROK
MET/MEST: MET
MSK: Europe/Kirov Europe/Moscow Europe/Simferopol Europe/Volgograd W-SU
MST: America/Creston America/Dawson America/Dawson_Creek America/Fort_Nelson America/Hermosillo America/Mazatlan
MST: America/Phoenix America/Whitehorse Canada/Yukon MST Mexico/BajaSur US/Arizona
MST/MDT: America/Boise America/Cambridge_Bay America/Ciudad_Juarez America/Denver America/Edmonton America/Inuvik
MST/MDT: America/Shiprock America/Yellowknife Canada/Mountain MST7MDT Navajo US/Mountain
NST/NDT: America/St_Johns Canada/Newfoundland
NZST/NZDT: Antarctica/McMurdo Antarctica/South_Pole NZ Pacific/Auckland
PKT: Asia/Karachi
PST: Asia/Manila
PST/PDT: America/Ensenada America/Los_Angeles America/Santa_Isabel America/Tijuana America/Vancouver Canada/Pacific
PST/PDT: Mexico/BajaNorte PST8PDT US/Pacific
SAST: Africa/Johannesburg Africa/Maseru Africa/Mbabane
SST: Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa
UTC: Etc/UCT Etc/UTC Etc/Universal Etc/Zulu UCT UTC Universal Zulu
WAT: Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Luanda
WAT: Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo
WET/WEST: Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira Europe/Lisbon Portugal WET
WIB: Asia/Jakarta Asia/Pontianak
WIT: Asia/Jayapura
WITA: Asia/Makassar Asia/Ujung_Pandang
`;

export interface ZoneAbbreviation {
  /** Seconds east of Greenwich; undefined when the abbreviation stands for a zone. */
  readonly offsetSeconds: number | undefined;
  readonly daylight: boolean;
  readonly zone: string | undefined;
}

function parseAbbreviations(): Map<string, ZoneAbbreviation> {
  const map = new Map<string, ZoneAbbreviation>();
  for (const entry of ABBREVIATIONS.trim().split(/\s+/)) {
    const [name, meaning] = entry.split('=') as [string, string];
    const offset = /^(-?\d+)(D?)$/.exec(meaning);
    map.set(
      name,
      offset === null
        ? { offsetSeconds: undefined, daylight: false, zone: meaning }
        : { offsetSeconds: Number(offset[1]), daylight: offset[2] === 'D', zone: undefined },
    );
  }
  return map;
}

function parseShown(): Map<string, readonly [string, string]> {
  const map = new Map<string, readonly [string, string]>();
  for (const line of SHOWN.trim().split('\n')) {
    const [names, zones] = line.split(': ') as [string, string];
    const [standard, daylight = standard] = names.split('/') as [string, string?];
    for (const zone of zones.split(' ')) map.set(zone, [standard, daylight]);
  }
  return map;
}

let abbreviations: Map<string, ZoneAbbreviation> | undefined;
let shown: Map<string, readonly [string, string]> | undefined;

/** What an abbreviation (lower case) means; undefined when it is none. */
export function zoneAbbreviation(name: string): ZoneAbbreviation | undefined {
  abbreviations ??= parseAbbreviations();
  return abbreviations.get(name);
}

/** Every abbreviation, in lower case, with what it means. */
export function zoneAbbreviations(): Iterable<readonly [string, ZoneAbbreviation]> {
  abbreviations ??= parseAbbreviations();
  return abbreviations;
}

/** Zones that are shown by abbreviations; old names that Intl does not list are among them. */
export function shownZones(): Iterable<string> {
  shown ??= parseShown();
  return shown.keys();
}

/** How the zone's standard and daylight times are abbreviated; undefined when by their offsets. */
export function shownAbbreviations(zone: string): readonly [string, string] | undefined {
  shown ??= parseShown();
  return shown.get(zone);
}
