#include "cli/statement_words.h"

#include "base/str.h"
#include "base/timefmt.h"
#include "domain/tax_year.h"

#include <stdio.h>
#include <stdlib.h>

const struct words year_title = {"Statement of foreign earnings", "بیرونِ ملک سے آمدنی کا گوشوارہ"};
const struct words year_tax_year = {"Tax year", "ٹیکس سال"};
const struct words year_not_over = {"The year is not over yet: this is what there is of it so far.",
                                    "سال ابھی ختم نہیں ہوا: یہ اب تک کا حساب ہے۔"};
const struct words year_freelancer = {"Freelancer", "فری لانسر"};
const struct words year_name = {"Name", "نام"};
const struct words year_cnic = {"CNIC", "شناختی کارڈ نمبر"};
const struct words year_record = {"Registered as", "اندراج"};
const struct words year_not_shown = {"(not shown)", "(ظاہر نہیں کیا گیا)"};
const struct words year_paid = {"Paid to the account in the year",
                                "سال میں اکاؤنٹ میں ادا کی گئی رقم"};
const struct words year_payouts = {"Payouts", "ادائیگیاں"};
const struct words year_came_back = {"Came back", "واپس آئی"};
const struct words year_worth = {"Earned, in US dollars", "کمائی، امریکی ڈالر میں"};
const struct words year_reached = {"The yearly threshold of {} is reached",
                                   "{} کی سالانہ حد پوری ہو گئی ہے"};
const struct words year_not_reached = {"The yearly threshold of {} is not reached",
                                       "{} کی سالانہ حد پوری نہیں ہوئی"};
const struct words year_not_reached_yet = {"The yearly threshold of {} is not reached yet",
                                           "{} کی سالانہ حد ابھی پوری نہیں ہوئی"};
const struct words year_unknown = {"Whether {} are reached cannot be told: a rate is missing",
                                   "{} کی سالانہ حد کا پتا نہیں: ایک نرخ موجود نہیں"};
const struct words year_by_month = {"Net paid, month by month (PKR)",
                                    "ماہ بہ ماہ خالص ادائیگی (روپے)"};
const struct words year_months = {"Month by month (PKR)", "ماہ بہ ماہ (روپے)"};
const struct words year_by_currency = {"By currency", "کرنسی کے لحاظ سے"};
const struct words year_by_platform = {"By platform (PKR)", "پلیٹ فارم کے لحاظ سے (روپے)"};
const struct words year_currency = {"Currency", "کرنسی"};
const struct words year_platform = {"Platform", "پلیٹ فارم"};
const struct words year_month = {"Month", "مہینہ"};
const struct words year_total = {"Total", "کل"};
const struct words year_earned = {"Earned", "کمائی"};
const struct words year_fee = {"Fee", "فیس"};
const struct words year_mid_value = {"Value at mid rate", "درمیانی نرخ پر مالیت"};
const struct words year_margin = {"Margin", "منافع"};
const struct words year_net = {"Net", "خالص رقم"};
const struct words year_withheld = {"Tax withheld", "کاٹا گیا ٹیکس"};
const struct words year_tax = {"Tax (PKR)", "ٹیکس (روپے)"};
const struct words year_tax_estimate = {
    "Estimated by us: export of services, at the rate of section 154A in force on the day",
    "ہمارا تخمینہ: خدمات کی برآمد، دفعہ 154A کی اُس دن کی شرح پر"};
const struct words year_tax_withheld = {"Withheld, as the banks reported it",
                                        "کاٹا گیا، جیسا بینکوں نے بتایا"};
const struct words year_tax_came_back = {"of it, on payouts that came back wholly or in part",
                                         "اس میں سے ان ادائیگیوں پر جو پوری یا کچھ واپس آئیں"};
const struct words year_what = {"What this is, and what it is not", "یہ کیا ہے اور کیا نہیں"};
const struct words year_what_text = {
    "A list of what the platforms named here paid through Ujrat and the bank said it had paid in the tax year, by the day in "
    "Pakistan on which it said so. All figures are those of the platforms' books. Totals are of what stands: what banks sent "
    "back, in this year or later, is taken off. It is not a tax certificate and does not prove realisation: the e-PRC that the "
    "bank issues does, under the number given for each payout. The tax estimated is ours; the tax withheld is what the bank "
    "reported with the payment, also where the payment came back later: ask the bank what it did with it. The worth in "
    "dollars is that of what was earned, at the mid rates of each payout's own rate sheet. The threshold is for orientation, and decides nothing. "
    "Earnings elsewhere are not in it.",
    "یہ ان رقوم کی فہرست ہے جو یہاں درج پلیٹ فارموں نے اُجرت کے ذریعے ادا کیں اور جن کی ادائیگی کی تصدیق بینک نے اس ٹیکس سال میں کی، "
    "پاکستان کی تاریخ کے مطابق۔ تمام رقوم پلیٹ فارموں کے کھاتوں سے لی گئی ہیں۔ میزان میں صرف وہ رقم ہے جو باقی ہے: بینک نے جو رقم اس سال "
    "یا بعد میں واپس بھیجی، وہ نکال دی گئی ہے۔ یہ ٹیکس سرٹیفکیٹ نہیں اور نہ زرِ مبادلہ کی وصولی کا ثبوت ہے: وہ بینک کا جاری کردہ ای پی آر سی ہے، "
    "جس کا نمبر ہر ادائیگی کے ساتھ درج ہے۔ ٹیکس کا تخمینہ ہمارا ہے؛ کاٹا گیا ٹیکس وہ ہے جو بینک نے بتایا، چاہے رقم بعد میں واپس آئی ہو۔ ڈالر میں "
    "مالیت ہر ادائیگی کے اپنے درمیانی نرخ سے نکالی گئی ہے۔ سالانہ حد صرف معلومات کے لیے ہے۔ دوسری جگہوں کی آمدنی اس میں شامل نہیں۔"};
const struct words year_list = {"Payouts, one by one", "ایک ایک ادائیگی"};
const struct words year_nothing = {"Nothing was paid in this year.",
                                   "اس سال کوئی ادائیگی نہیں ہوئی۔"};
const struct words year_paid_on = {"Paid on", "تاریخ"};
const struct words year_state = {"State", "کیفیت"};
const struct words year_reference = {"Reference", "حوالہ نمبر"};
const struct words year_platform_bank = {"Platform, bank", "پلیٹ فارم، بینک"};
const struct words year_eprc = {"e-PRC number", "ای پی آر سی نمبر"};
const struct words year_channel = {"Channel, purpose", "ذریعہ، مقصد"};
const struct words year_mid_rate = {"Mid rate", "درمیانی نرخ"};
const struct words year_rate_source = {"its source", "نرخ کا ماخذ"};
const struct words year_rate_date = {"its date", "نرخ کی تاریخ"};
const struct words year_back = {"Came back", "واپس آئی"};
const struct words year_estimate = {"Tax estimated", "ٹیکس کا تخمینہ"};
const struct words year_no_certificate = {"Not a tax certificate", "یہ ٹیکس سرٹیفکیٹ نہیں"};

struct words year_channel_name(enum channel channel)
{
    switch (channel) {
    case CHANNEL_EXPORT_OF_SERVICES:
        return (struct words){"Export", "برآمد"};
    case CHANNEL_HOME_REMITTANCE:
        return (struct words){"Remittance", "ترسیلات"};
    case CHANNEL_UNSPECIFIED:
        break;
    }
    return (struct words){"?", "?"};
}

static void date_of(int64_t us, int64_t part[3])
{
    char text[TIMEFMT_DATE_SIZE];

    timefmt_date(tax_year_day_of(us), text);
    for (int i = 0; i < 3; i++) {
        static const struct {
            int at;
            size_t len;
        } field[3] = {{0, 4}, {5, 2}, {8, 2}};

        if (err_failed(str_parse_int64(slice_of(text + field[i].at, field[i].len), &part[i])))
            part[i] = 1;
    }
}

const char *year_day_en(int64_t us, char out[YEAR_TEXT_SIZE])
{
    int64_t part[3];

    date_of(us, part);
    (void)snprintf(out, YEAR_TEXT_SIZE, "%d %s %04d", (int)part[2], words_month((int)part[1]).en,
                   (int)part[0]);
    return out;
}

const char *year_day_ur(int64_t us, char out[YEAR_TEXT_SIZE])
{
    int64_t part[3];

    date_of(us, part);
    (void)snprintf(out, YEAR_TEXT_SIZE, "%d %s %04d", (int)part[2], words_month((int)part[1]).ur,
                   (int)part[0]);
    return out;
}
