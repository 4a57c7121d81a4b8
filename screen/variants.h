/*
 * variants.h: names that are written in many ways, one line a name, its spellings apart by blanks. A '*' in front: so many people
 * are called so that it says little. Two lines are two names: Hassan is not Hussain, however near they look.
 *
 * Spellings that the rules of fold.c undo by themselves (doubled letters, ee, oo, ph ...) need not be here.
 */
#ifndef UJRAT_SCREEN_VARIANTS_H
#define UJRAT_SCREEN_VARIANTS_H

static const char *const screen_variants[] = {
    "*muhammad mohammad mohammed muhammed mohamed mohamad mohamet muhamet mahomed mohd muhd md mhmd mohammod mouhammad mouhamed mehmet mehmed",
    "*ahmad ahmed ahmet ahamed ahmd achmed achmad",
    "*mahmud mahmood mehmood mehmud mahmoud mhmwd mahmut",
    "*hamid hameed hamed hmyd",
    "*hussain hussein husain husayn hossain hussayn hosein hossein husein hussin huseyin hsyn housein houssein",
    "*hassan hasan hasson hsn",
    "*ali aly alee aliy ally",
    "*khan kan khaan kxan khn kkhan",
    "*umar omar omer umer aumar amr",
    "*usman osman othman uthman usmaan athmn",
    "*ibrahim ebrahim ibraheem abraham ibrahem abrahym brahim ibragim",
    "*yusuf yousuf yousaf yousef yusef youssef yussuf yusif yosef joseph ywsf iusuf yousif yusaf youssouf",
    "*ismail ismael esmail asmayl ismaeel smail",
    "*khalid khaled khaleed kalid khald chalid",
    "*said saeed saiid saeid saed seid",
    "*syed sayyid sayed sayyed saiyid sayid seyed syyed saiyed",
    "*rashid rasheed rashed rachid rshyd",
    "*iqbal eqbal ikbal aqbal",
    "*tariq tarik tareq tarek tarq",
    "*bilal belal billal",
    "*jamil jameel djamil gamil",
    "*karim kareem kerim",
    "*rahim raheem rehim",
    "*rahman rehman rahmaan rahmn rehmaan rakhman",
    "*aziz azeez azyz",
    "*malik malek maleek mlk",
    "*shah schah",
    "*akhtar akhter akthar",
    "*abbas abas abass",
    "*javed javaid jawed jawaid javid",
    "*nawaz navaz nawas",
    "*riaz riyaz riyadh reyaz",
    "*imran emran omran",
    "*ayub ayoub ayyub ayoob aywb",
    "*yaqub yaqoob yaqoub yakub yaqub jacub yacoub yaqob",
    "*sulaiman suleiman sulayman suleman soleiman slyman solaiman sulaimon suliman",
    "*dawood daud dawud daoud david dawod dawd",
    "*musa mousa moosa moussa mwsy mwsa",
    "*isa eisa essa issa",
    "*zahid zahed zaheed",
    "*fatima fatema fatimah fatma fatmh fathima",
    "*aisha ayesha aysha aicha aishah ayisha",
    "*zainab zaynab zeinab zeynep zenab",
    "*mustafa mostafa mustapha moustafa mustafah mstfy",
    "*abdullah abdallah abdulla abdala abdula abdalah abdllh abdollah abdoullah abdellah",
    "*nasir nasser naser naseer nassir",
    "*mansoor mansour mansur mnswr",
    "*qasim qassim kasim kassem qassem qasem kasem",
    "*siddiq siddique siddiqui siddiqi sadiq sadeq sadik siddik",
    "*qureshi quraishi qureishi koreshi kureshi",
    "*chaudhry chaudhary choudhry chowdhury choudhury chaudhri chaudry chwhdry",
    "*butt bhat bhatt",
    "usama osama asamh usamah oussama",
    "ayman aiman aymen eiman",
    "jalal galal djalal",
    "siraj sirag serraj",
    "haqqani haqani hakkani khaqqani",
    "zawahiri zawahri dhawahiri zwahry",
    "taliban taleban talban",
    "dmitry dmitri dmitriy dmitrii dimitri dmitrij",
    "sergey sergei serguei sergiy sergej",
    "aleksandr alexander aleksander alexandr iskander",
    "yuri yury yuriy iouri jurij",
    "evgeny yevgeny evgeni yevgeni evgeniy yevgeniy",
    "mikhail michail mikail mihail",
};

/* What stands in front of a name, and is none. */
static const char screen_titles[] =
    " mr mrs ms miss dr prof professor sir madam haji hajji hajj hadji haj hajy mullah mulla mola maulana mawlana mawlawi maulvi "
    "molvi mawlavi maulawi moulvi sheikh shaikh shaykh shekh cheikh sheik qari hafiz hafez hafz mufti eng engineer ing capt captain "
    "col colonel gen lt maj major brig brigadier janab sahib sahab saheb begum bibi agha alhaj alhajj ustad ustaz ustadh "
    "imam nawab ";

/* Particles, and organisations' legal forms. Nobody is told apart by them. */
static const char screen_light_words[] =
    " al el ul ur ud us as ad ar az at an ash bin ben ibn bint binte binti ould walad wald so do wo son of daughter the and "
    "de la le du da von van der den di "
    "ltd limited llc llp inc incorporated co corp corporation company gmbh ag sa sas sarl srl spa bv nv plc pvt private pte pty "
    "pjsc ojsc cjsc jsc ooo oao zao pao ao fze fzco fzc est oy ab kg ";

/* Words of many organisations' names: they count, but little. */
static const char screen_org_words[] =
    " foundation trust group international trading trade general industries industrial enterprises enterprise services service "
    "bank association organization organisation society charity charitable welfare holding holdings import export exchange money "
    "shipping engineering technology development relief committee islamic bureau office center centre institute university "
    "front army movement party brothers sons joint stock ";

#endif
