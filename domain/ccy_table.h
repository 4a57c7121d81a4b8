/* ccy_table.h: the rows of data/currencies.csv, by alphabetic code; a unit test compares the two. For ccy.c only.
 *
 * X(numeric code, alphabetic code, digits of the minor unit, name) */
#ifndef UJRAT_DOMAIN_CCY_TABLE_H
#define UJRAT_DOMAIN_CCY_TABLE_H

/* clang-format off */
#define CCY_TABLE(X) \
    X(784, AED, 2, "UAE Dirham") \
    X(971, AFN, 2, "Afghani") \
    X(8, ALL, 2, "Lek") \
    X(51, AMD, 2, "Armenian Dram") \
    X(973, AOA, 2, "Kwanza") \
    X(32, ARS, 2, "Argentine Peso") \
    X(36, AUD, 2, "Australian Dollar") \
    X(533, AWG, 2, "Aruban Florin") \
    X(944, AZN, 2, "Azerbaijan Manat") \
    X(977, BAM, 2, "Convertible Mark") \
    X(52, BBD, 2, "Barbados Dollar") \
    X(50, BDT, 2, "Taka") \
    X(48, BHD, 3, "Bahraini Dinar") \
    X(108, BIF, 0, "Burundi Franc") \
    X(60, BMD, 2, "Bermudian Dollar") \
    X(96, BND, 2, "Brunei Dollar") \
    X(68, BOB, 2, "Boliviano") \
    X(984, BOV, 2, "Mvdol") \
    X(986, BRL, 2, "Brazilian Real") \
    X(44, BSD, 2, "Bahamian Dollar") \
    X(64, BTN, 2, "Ngultrum") \
    X(72, BWP, 2, "Pula") \
    X(933, BYN, 2, "Belarusian Ruble") \
    X(84, BZD, 2, "Belize Dollar") \
    X(124, CAD, 2, "Canadian Dollar") \
    X(976, CDF, 2, "Congolese Franc") \
    X(947, CHE, 2, "WIR Euro") \
    X(756, CHF, 2, "Swiss Franc") \
    X(948, CHW, 2, "WIR Franc") \
    X(990, CLF, 4, "Unidad de Fomento") \
    X(152, CLP, 0, "Chilean Peso") \
    X(156, CNY, 2, "Yuan Renminbi") \
    X(170, COP, 2, "Colombian Peso") \
    X(970, COU, 2, "Unidad de Valor Real") \
    X(188, CRC, 2, "Costa Rican Colon") \
    X(192, CUP, 2, "Cuban Peso") \
    X(132, CVE, 2, "Cabo Verde Escudo") \
    X(203, CZK, 2, "Czech Koruna") \
    X(262, DJF, 0, "Djibouti Franc") \
    X(208, DKK, 2, "Danish Krone") \
    X(214, DOP, 2, "Dominican Peso") \
    X(12, DZD, 2, "Algerian Dinar") \
    X(818, EGP, 2, "Egyptian Pound") \
    X(232, ERN, 2, "Nakfa") \
    X(230, ETB, 2, "Ethiopian Birr") \
    X(978, EUR, 2, "Euro") \
    X(242, FJD, 2, "Fiji Dollar") \
    X(238, FKP, 2, "Falkland Islands Pound") \
    X(826, GBP, 2, "Pound Sterling") \
    X(981, GEL, 2, "Lari") \
    X(936, GHS, 2, "Ghana Cedi") \
    X(292, GIP, 2, "Gibraltar Pound") \
    X(270, GMD, 2, "Dalasi") \
    X(324, GNF, 0, "Guinean Franc") \
    X(320, GTQ, 2, "Quetzal") \
    X(328, GYD, 2, "Guyana Dollar") \
    X(344, HKD, 2, "Hong Kong Dollar") \
    X(340, HNL, 2, "Lempira") \
    X(332, HTG, 2, "Gourde") \
    X(348, HUF, 2, "Forint") \
    X(360, IDR, 2, "Rupiah") \
    X(376, ILS, 2, "New Israeli Sheqel") \
    X(356, INR, 2, "Indian Rupee") \
    X(368, IQD, 3, "Iraqi Dinar") \
    X(364, IRR, 2, "Iranian Rial") \
    X(352, ISK, 0, "Iceland Krona") \
    X(388, JMD, 2, "Jamaican Dollar") \
    X(400, JOD, 3, "Jordanian Dinar") \
    X(392, JPY, 0, "Yen") \
    X(404, KES, 2, "Kenyan Shilling") \
    X(417, KGS, 2, "Som") \
    X(116, KHR, 2, "Riel") \
    X(174, KMF, 0, "Comorian Franc") \
    X(408, KPW, 2, "North Korean Won") \
    X(410, KRW, 0, "Won") \
    X(414, KWD, 3, "Kuwaiti Dinar") \
    X(136, KYD, 2, "Cayman Islands Dollar") \
    X(398, KZT, 2, "Tenge") \
    X(418, LAK, 2, "Lao Kip") \
    X(422, LBP, 2, "Lebanese Pound") \
    X(144, LKR, 2, "Sri Lanka Rupee") \
    X(430, LRD, 2, "Liberian Dollar") \
    X(426, LSL, 2, "Loti") \
    X(434, LYD, 3, "Libyan Dinar") \
    X(504, MAD, 2, "Moroccan Dirham") \
    X(498, MDL, 2, "Moldovan Leu") \
    X(969, MGA, 2, "Malagasy Ariary") \
    X(807, MKD, 2, "Denar") \
    X(104, MMK, 2, "Kyat") \
    X(496, MNT, 2, "Tugrik") \
    X(446, MOP, 2, "Pataca") \
    X(929, MRU, 2, "Ouguiya") \
    X(480, MUR, 2, "Mauritius Rupee") \
    X(462, MVR, 2, "Rufiyaa") \
    X(454, MWK, 2, "Malawi Kwacha") \
    X(484, MXN, 2, "Mexican Peso") \
    X(979, MXV, 2, "Mexican Unidad de Inversion (UDI)") \
    X(458, MYR, 2, "Malaysian Ringgit") \
    X(943, MZN, 2, "Mozambique Metical") \
    X(516, NAD, 2, "Namibia Dollar") \
    X(566, NGN, 2, "Naira") \
    X(558, NIO, 2, "Cordoba Oro") \
    X(578, NOK, 2, "Norwegian Krone") \
    X(524, NPR, 2, "Nepalese Rupee") \
    X(554, NZD, 2, "New Zealand Dollar") \
    X(512, OMR, 3, "Rial Omani") \
    X(590, PAB, 2, "Balboa") \
    X(604, PEN, 2, "Sol") \
    X(598, PGK, 2, "Kina") \
    X(608, PHP, 2, "Philippine Peso") \
    X(586, PKR, 2, "Pakistan Rupee") \
    X(985, PLN, 2, "Zloty") \
    X(600, PYG, 0, "Guarani") \
    X(634, QAR, 2, "Qatari Rial") \
    X(946, RON, 2, "Romanian Leu") \
    X(941, RSD, 2, "Serbian Dinar") \
    X(643, RUB, 2, "Russian Ruble") \
    X(646, RWF, 0, "Rwanda Franc") \
    X(682, SAR, 2, "Saudi Riyal") \
    X(90, SBD, 2, "Solomon Islands Dollar") \
    X(690, SCR, 2, "Seychelles Rupee") \
    X(938, SDG, 2, "Sudanese Pound") \
    X(752, SEK, 2, "Swedish Krona") \
    X(702, SGD, 2, "Singapore Dollar") \
    X(654, SHP, 2, "Saint Helena Pound") \
    X(925, SLE, 2, "Leone") \
    X(706, SOS, 2, "Somali Shilling") \
    X(968, SRD, 2, "Surinam Dollar") \
    X(728, SSP, 2, "South Sudanese Pound") \
    X(930, STN, 2, "Dobra") \
    X(222, SVC, 2, "El Salvador Colon") \
    X(760, SYP, 2, "Syrian Pound") \
    X(748, SZL, 2, "Lilangeni") \
    X(764, THB, 2, "Baht") \
    X(972, TJS, 2, "Somoni") \
    X(934, TMT, 2, "Turkmenistan New Manat") \
    X(788, TND, 3, "Tunisian Dinar") \
    X(776, TOP, 2, "Pa'anga") \
    X(949, TRY, 2, "Turkish Lira") \
    X(780, TTD, 2, "Trinidad and Tobago Dollar") \
    X(901, TWD, 2, "New Taiwan Dollar") \
    X(834, TZS, 2, "Tanzanian Shilling") \
    X(980, UAH, 2, "Hryvnia") \
    X(800, UGX, 0, "Uganda Shilling") \
    X(840, USD, 2, "US Dollar") \
    X(997, USN, 2, "US Dollar (Next day)") \
    X(940, UYI, 0, "Uruguay Peso en Unidades Indexadas (UI)") \
    X(858, UYU, 2, "Peso Uruguayo") \
    X(927, UYW, 4, "Unidad Previsional") \
    X(860, UZS, 2, "Uzbekistan Sum") \
    X(926, VED, 2, "Bolivar Soberano") \
    X(928, VES, 2, "Bolivar Soberano") \
    X(704, VND, 0, "Dong") \
    X(548, VUV, 0, "Vatu") \
    X(882, WST, 2, "Tala") \
    X(396, XAD, 2, "Arab Accounting Dinar") \
    X(950, XAF, 0, "CFA Franc BEAC") \
    X(951, XCD, 2, "East Caribbean Dollar") \
    X(532, XCG, 2, "Caribbean Guilder") \
    X(952, XOF, 0, "CFA Franc BCEAO") \
    X(953, XPF, 0, "CFP Franc") \
    X(886, YER, 2, "Yemeni Rial") \
    X(710, ZAR, 2, "Rand") \
    X(967, ZMW, 2, "Zambian Kwacha") \
    X(924, ZWG, 2, "Zimbabwe Gold")
/* clang-format on */

#endif
