/**
 * Numbers that fraud earns by: satellite and global networks and services (870, 881 to 883, 888 and 979 in ITU-T's list of
 * E.164 country codes), premium rates of some countries, and small networks whose high rates are shared with who
 * brings calls. A judgement; SECURITY_HIGH_RISK_PREFIXES replaces it.
 */
export const usualHighRiskPrefixes: readonly string[] = [
  ...['870', '881', '882', '883', '888', '979'],
  ...['1900', '3290', '3389', '34803', '34806', '34807', '39892', '39899', '41900', '41901', '41906'],
  ...['4390', '43930', '43931', '43939', '4490', '4491', '4498', '49900'],
  ...[
    '232',
    '245',
    '246',
    '247',
    '252',
    '269',
    '290',
    '53',
    '670',
    '674',
    '675',
    '677',
    '678',
    '683',
    '686',
    '688',
    '690',
    '960',
  ],
]
