/**
 * Numbers that fraud earns by, as prefixes after the `+`. A judgement; SECURITY_HIGH_RISK_PREFIXES replaces it.
 */

/** Networks and services that belong to no country, by ITU-T's list of E.164 country codes. */
const global = '870 881 882 883 888 979'
/** Numbers of some countries whose callers pay by the minute for what is said. */
const premium =
  '1900 3290 3389 34803 34806 34807 39892 39899 41900 41901 41906 4390 43930 43931 43939 4490 4491 4498 49900'
/** Small networks whose high rates are shared with who brings calls. */
const shared = '232 245 246 247 252 269 290 53 670 674 675 677 678 683 686 688 690 960'

export const usualHighRiskPrefixes: readonly string[] = [global, premium, shared].flatMap((list) => list.split(' '))
