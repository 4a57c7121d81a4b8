#include "cli/receipt_words.h"

#include "base/command.h"
#include "base/timefmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct words words_title = {"Payout receipt", "ادائیگی کی رسید"};
const struct words words_upto = {"As the signed log had it on", "دستخط شدہ کھاتے کے مطابق، بتاریخ"};
const struct words words_platform = {"Platform", "پلیٹ فارم"};
const struct words words_payment = {"Payment", "ادائیگی"};
const struct words words_reference = {"Reference", "حوالہ نمبر"};
const struct words words_payee = {"Paid to", "وصول کنندہ"};
const struct words words_bank = {"Bank", "بینک"};
const struct words words_account = {"Account", "اکاؤنٹ نمبر"};
const struct words words_info = {"For", "بابت"};
const struct words words_bank_reference = {"Bank's reference", "بینک کا حوالہ"};
const struct words words_eprc = {"e-PRC number", "ای پی آر سی نمبر"};
const struct words words_reason = {"Reason code", "وجہ کا کوڈ"};
const struct words words_price = {"Amounts", "رقوم"};
const struct words words_gross = {"Earned", "کمائی گئی رقم"};
const struct words words_fee = {"Fee", "فیس"};
const struct words words_converted = {"Converted", "تبدیل کی گئی رقم"};
const struct words words_mid_rate = {"Mid-market rate", "بازار کا درمیانی نرخ"};
const struct words words_mid_value = {"Value at the mid rate", "درمیانی نرخ پر مالیت"};
const struct words words_margin = {"Margin", "شرحِ تبادلہ پر منافع"};
const struct words words_net = {"Net amount", "خالص رقم"};
const struct words words_our_rate = {"Your rate", "آپ کا نرخ"};
const struct words words_tax = {"Tax withheld by the bank", "بینک کا کاٹا ہوا ٹیکس"};
const struct words words_after_tax = {"After tax", "ٹیکس کے بعد رقم"};
const struct words words_history = {"What happened", "کب کیا ہوا"};
const struct words words_proof = {"Proof", "ثبوت"};
const struct words words_proof_text = {
    "Printed from a receipt file, whose every entry can be proved from the platform's signed log: check that file with "
    "“ujrat-audit receipt-verify”. The QR code names the entry and its log.",
    "یہ صفحہ ایک ایسی رسید سے چھاپا گیا ہے جس کی جانچ ہر کوئی خود کر سکتا ہے: اوپر کا ہر اندراج ایک دستخط شدہ کھاتے میں درج ہے۔ "
    "کیو آر کوڈ میں اسی اندراج اور کھاتے کا پتا ہے۔"};
const struct words words_erased = {"(erased)", "(مٹا دیا گیا)"};

struct words words_of_state(enum payout_state state)
{
    switch (state) {
    case PAYOUT_STATE_ACCEPTED:
        return (struct words){"Accepted", "منظور ہو گئی"};
    case PAYOUT_STATE_HELD:
        return (struct words){"Held for review", "جانچ کے لیے روکی گئی"};
    case PAYOUT_STATE_INSTRUCTED:
        return (struct words){"Sent to the bank", "بینک کو بھیج دی گئی"};
    case PAYOUT_STATE_SETTLED:
        return (struct words){"Paid", "ادا ہو گئی"};
    case PAYOUT_STATE_REJECTED:
        return (struct words){"Rejected", "مسترد ہو گئی"};
    case PAYOUT_STATE_RETURNED:
        return (struct words){"Returned", "واپس آ گئی"};
    case PAYOUT_STATE_CANCELLED:
        return (struct words){"Cancelled", "منسوخ ہو گئی"};
    case PAYOUT_STATE_UNCLAIMED:
        return (struct words){"Not yet claimed", "ابھی وصول نہیں کی گئی"};
    case PAYOUT_STATE_REFUSED:
        return (struct words){"Refused", "رد کر دی گئی"};
    case PAYOUT_STATE_PARTLY_RETURNED:
        return (struct words){"Partly returned", "کچھ رقم واپس آ گئی"};
    case PAYOUT_STATE_NONE:
        break;
    }
    return (struct words){"?", "?"};
}

bool words_lang(const struct args *args, enum receipt_lang *lang)
{
    const char *name = args_get(args, "lang");

    *lang = RECEIPT_BOTH;
    if (name == NULL || strcmp(name, "both") == 0)
        return true;
    *lang = strcmp(name, "ur") == 0 ? RECEIPT_UR : RECEIPT_EN;
    if (strcmp(name, "ur") == 0 || strcmp(name, "en") == 0)
        return true;
    complain("--lang: en, ur or both, not '%s'", name);
    return false;
}

struct words words_month(int month)
{
    static const struct words months[] = {
        {"January", "جنوری"},  {"February", "فروری"}, {"March", "مارچ"},
        {"April", "اپریل"},    {"May", "مئی"},        {"June", "جون"},
        {"July", "جولائی"},    {"August", "اگست"},    {"September", "ستمبر"},
        {"October", "اکتوبر"}, {"November", "نومبر"}, {"December", "دسمبر"}};

    return months[month - 1];
}

/* Year, month, day, hour, minute, second of the clock on the wall in Karachi. */
static void wall_clock(int64_t us, int part[6])
{
    const int64_t karachi_us = 5LL * 3600 * 1000000;
    char text[TIMEFMT_SIZE];

    timefmt_rfc3339(us <= TIMEFMT_US_MAX - karachi_us ? us + karachi_us : us, text);
    for (int i = 0; i < 6; i++) {
        static const int at[6] = {0, 5, 8, 11, 14, 17};
        int n = 0;
        for (const char *p = text + at[i]; char_is_digit(*p); p++)
            n = n * 10 + (*p - '0');
        part[i] = n;
    }
}

const char *words_time_en(int64_t us, char out[WORDS_TIME_SIZE])
{
    int part[6];

    wall_clock(us, part);
    (void)snprintf(out, WORDS_TIME_SIZE, "%d %s %04d, %02d:%02d:%02d PKT", part[2],
                   words_month(part[1]).en, part[0], part[3], part[4], part[5]);
    return out;
}

const char *words_time_ur(int64_t us, char out[WORDS_TIME_SIZE])
{
    int part[6];

    wall_clock(us, part);
    (void)snprintf(out, WORDS_TIME_SIZE, "%d %s %04d، %02d:%02d:%02d", part[2],
                   words_month(part[1]).ur, part[0], part[3], part[4], part[5]);
    return out;
}
