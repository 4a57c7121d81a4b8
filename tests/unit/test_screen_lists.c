#include "screen/list.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define UN_BEGIN                                                                                   \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CONSOLIDATED_LIST dateGenerated=\"2026-02-27T00:00:09Z\">\n<INDIVIDUALS>\n"
#define UN_PERSON(id)                                                                                                                                            \
    "<INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>QUDRAT</FIRST_NAME><SECOND_NAME> ZARMAZAI </SECOND_NAME>\n"                                                       \
    "<UN_LIST_TYPE>Taliban</UN_LIST_TYPE><REFERENCE_NUMBER>" id                                                                                                  \
    "</REFERENCE_NUMBER><COMMENTS1>anything</COMMENTS1>\n"                                                                                                       \
    "<NATIONALITY><VALUE>Afghanistan</VALUE></NATIONALITY>"                                                                                                      \
    "<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Kudrat Zarmazay; Qudrat (QZ1)</ALIAS_NAME></INDIVIDUAL_ALIAS>\n"                                       \
    "<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>The Lame</ALIAS_NAME></INDIVIDUAL_ALIAS><INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>\n" \
    "<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><YEAR>1971</YEAR></INDIVIDUAL_DATE_OF_BIRTH>\n"                                                 \
    "<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><YEAR>1980</YEAR></INDIVIDUAL_DATE_OF_BIRTH>\n"                                         \
    "<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1960</FROM_YEAR><TO_YEAR>1963</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>\n"              \
    "<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>ob 024-3318</NUMBER></INDIVIDUAL_DOCUMENT>\n"                                     \
    "<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>National Identification Number</TYPE_OF_DOCUMENT><NUMBER>00000-1234567-1</NUMBER></INDIVIDUAL_DOCUMENT>\n"           \
    "</INDIVIDUAL>\n"
#define UN_END                                                                                                                          \
    "</INDIVIDUALS><ENTITIES><ENTITY><FIRST_NAME>ZAR WELFARE</FIRST_NAME><REFERENCE_NUMBER>Te.1</REFERENCE_NUMBER></ENTITY></ENTITIES>" \
    "</CONSOLIDATED_LIST>\n"

typedef bool reader_fn(struct screen_list *list, struct slice text, struct screen_fault *fault);

static bool read_text(reader_fn *reader, const char *text, struct screen_list *list,
                      struct screen_fault *fault)
{
    *fault = (struct screen_fault){0};
    screen_list_init(list);
    return reader(list, slice_str(text), fault) && screen_list_end(list, fault);
}

/* It is refused, and the reason has these words, and is of that line (0: any). */
static void refused_bytes(reader_fn *reader, struct slice text, unsigned line, const char *words)
{
    struct screen_list list;
    struct screen_fault fault = {0};
    char why[SCREEN_FAULT_SIZE];
    bool good;

    screen_list_init(&list);
    good = reader(&list, text, &fault) && screen_list_end(&list, &fault);
    assert_false(good);
    (void)screen_fault_text(&fault, why);
    if (strstr(why, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, why);
    if (line > 0)
        assert_int_equal(fault.line, line);
    screen_list_deinit(&list);
}

static void refused(reader_fn *reader, const char *text, unsigned line, const char *words)
{
    refused_bytes(reader, slice_str(text), line, words);
}

static void assert_dob(const struct screen_entry *e, size_t i, const char *text)
{
    char out[SCREEN_DOB_SIZE];

    assert_true(i < e->n_dobs);
    assert_string_equal(screen_dob_format(e->dobs[i], out), text);
}

static void un_entry_is_read_whole(void **state)
{
    struct screen_list list;
    struct screen_fault fault;
    const struct screen_entry *e;

    (void)state;
    assert_true(read_text(screen_list_read_un, UN_BEGIN UN_PERSON("Ti.1") UN_END, &list, &fault));
    assert_int_equal(list.n, 2);
    assert_string_equal(list.published, "2026-02-27");
    e = &list.entries[0];
    assert_slice(e->id, "Ti.1");
    assert_int_equal(e->kind, SCREEN_PERSON);
    assert_int_equal(e->names.n, 3);
    assert_slice(e->names.p[0], "QUDRAT ZARMAZAI");
    assert_slice(e->names.p[1], "Kudrat Zarmazay");
    assert_slice(e->names.p[2], "Qudrat");
    assert_int_equal(e->weak_names.n, 2);
    assert_slice(e->weak_names.p[0], "QZ1");
    assert_slice(e->weak_names.p[1], "The Lame");
    assert_dob(e, 0, "1971");
    assert_dob(e, 1, "1979..1981");
    assert_dob(e, 2, "1960..1963");
    assert_slice(e->passports.p[0], "OB0243318");
    assert_slice(e->cnics.p[0], "0000012345671");
    assert_slice(e->countries.p[0], "Afghanistan");
    assert_slice(e->programs.p[0], "Taliban");
    assert_int_equal(list.entries[1].kind, SCREEN_ORGANISATION);
    screen_list_deinit(&list);
}

static void entity_bombs_are_refused_before_they_are_parsed(void **state)
{
    (void)state;
    refused(
        screen_list_read_un,
        "<?xml version=\"1.0\"?>\n<!DOCTYPE l [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n<CONSOLIDATED_LIST>&b;</CONSOLIDATED_LIST>",
        2, "DOCTYPE");
    refused(
        screen_list_read_un,
        "<CONSOLIDATED_LIST>\n\n<!ENTITY x SYSTEM \"file:///etc/hostname\"></CONSOLIDATED_LIST>", 3,
        "ENTITY");
    refused(screen_list_read_un,
            UN_BEGIN "<INDIVIDUAL><FIRST_NAME>&unknown;</FIRST_NAME></INDIVIDUAL>" UN_END, 4,
            "unknown");
}

static void un_that_is_not_what_it_says_is_refused(void **state)
{
    static const char nul[] = "<CONSOLIDATED_LIST>\n\0</CONSOLIDATED_LIST>";
    static const char utf16[] = "\xff\xfe<\0C\0";

    (void)state;
    refused(screen_list_read_un, "", 0, "");
    refused(screen_list_read_un, "<html/>", 1, "CONSOLIDATED_LIST");
    refused(screen_list_read_un, UN_BEGIN UN_PERSON("Ti.1"), 0, "");
    refused(screen_list_read_un, UN_BEGIN "<PERSON/>" UN_END, 4, "INDIVIDUAL or ENTITY");
    refused(screen_list_read_un, UN_BEGIN "</INDIVIDUALS></CONSOLIDATED_LIST>", 0, "no entry");
    refused(screen_list_read_un, UN_BEGIN UN_PERSON("Ti.1") UN_PERSON("Ti.1") UN_END, 0,
            "two entries have the id Ti.1");
    refused(screen_list_read_un,
            UN_BEGIN "<INDIVIDUAL><REFERENCE_NUMBER>x</REFERENCE_NUMBER></INDIVIDUAL>" UN_END, 4,
            "has no name");
    refused(screen_list_read_un,
            UN_BEGIN "<INDIVIDUAL><FIRST_NAME>x</FIRST_NAME></INDIVIDUAL>" UN_END, 4, "no id");
    refused(screen_list_read_un,
            UN_BEGIN "<INDIVIDUAL><FIRST_NAME>\xc3\x28</FIRST_NAME></INDIVIDUAL>" UN_END, 4,
            "not UTF-8");
    refused_bytes(screen_list_read_un, slice_of(nul, sizeof nul - 1), 2, "NUL");
    refused_bytes(screen_list_read_un, slice_of(utf16, sizeof utf16 - 1), 1, "not UTF-8");
}

static void un_fields_and_depths_have_a_bound(void **state)
{
    char *text = malloc(100000);
    size_t n = (size_t)snprintf(text, 100000, UN_BEGIN "<INDIVIDUAL><FIRST_NAME>");

    (void)state;
    assert_non_null(text);
    memset(text + n, 'a', 6000);
    snprintf(text + n + 6000, 90000, "</FIRST_NAME></INDIVIDUAL>" UN_END);
    refused(screen_list_read_un, text, 4, "FIRST_NAME: its text is longer");
    n = (size_t)snprintf(text, 100000, UN_BEGIN "<INDIVIDUAL>");
    for (int i = 0; i < 20; i++)
        n += (size_t)snprintf(text + n, 100000 - n, "<A>");
    refused(screen_list_read_un, text, 4, "nested too deeply");
    free(text);
}

/* ---------------------------------------------------------------- CSV */

#define OWN_HEADER "id,type,name,aliases,dob,country,cnic,passport,program\n"

static void own_list_is_read(void **state)
{
    struct screen_list list;
    struct screen_fault fault;
    const struct screen_entry *e;

    (void)state;
    assert_true(read_text(
        screen_list_read_csv,
        OWN_HEADER
        "P-1,person,\"Zarmazai, Qudrat\",Kudrat Zarmazay;QZ,1971-04-28;1970..1973,Pakistan,"
        "00000-1234567-1,ab 123,ATA\nO-1,organisation,Zar Welfare,,,,,,\n",
        &list, &fault));
    assert_int_equal(list.n, 2);
    e = &list.entries[0];
    assert_slice(e->names.p[0], "Zarmazai, Qudrat");
    assert_int_equal(e->names.n, 3);
    assert_dob(e, 0, "1971-04-28");
    assert_dob(e, 1, "1970..1973");
    assert_slice(e->cnics.p[0], "0000012345671");
    assert_slice(e->passports.p[0], "AB123");
    screen_list_deinit(&list);
}

static void own_list_says_what_is_wrong_and_where(void **state)
{
    (void)state;
    refused(screen_list_read_csv, "", 1, "empty");
    refused(screen_list_read_csv, "id,name\n", 1, "the header must be id,type,name");
    refused(screen_list_read_csv, OWN_HEADER "1,person,A\n", 2,
            "there are 3 columns, and 9 are wanted");
    refused(screen_list_read_csv, OWN_HEADER "\n1,alien,A,,,,,,\n", 3, "type: it is none of");
    refused(screen_list_read_csv, OWN_HEADER "1,person,A,,1971-02-29,,,,\n", 2,
            "dob: '1971-02-29' is neither");
    refused(screen_list_read_csv, OWN_HEADER "1,person,A,,,,123,,\n", 2,
            "cnic: a CNIC has 13 digits");
    refused(screen_list_read_csv, OWN_HEADER "1,person,\"A,,,,,,\n", 2,
            "column 3: a quote is not closed");
    refused(screen_list_read_csv, OWN_HEADER "1,person,,,,,,,\n", 2, "has no name");
    refused(screen_list_read_csv, OWN_HEADER ",person,A,,,,,,\n", 2, "has no id");
    refused(screen_list_read_csv, OWN_HEADER "1,person,\xff,,,,,,\n", 2, "not UTF-8");
}

static void a_gigantic_line_and_field_are_refused(void **state)
{
    char *text = malloc(40000);
    size_t n = (size_t)snprintf(text, 40000, OWN_HEADER "1,person,");

    (void)state;
    memset(text + n, 'a', 20000);
    snprintf(text + n + 20000, 10000, ",,,,,,\n");
    refused(screen_list_read_csv, text, 2, "the line is longer than");
    snprintf(text + n + 2000, 10000, ",,,,,,\n");
    refused(screen_list_read_csv, text, 2, "name: a value is longer than 1023 bytes");
    free(text);
}

#define SDN                                                                                                                                          \
    "36,\"ZARMAZAI, Qudrat\",\"individual\",\"SDGT] [IFSR\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 28 Jul 1963; alt. DOB circa 1965; DOB 1970 to " \
    "1972; POB Nowhere; nationality Pakistan; Passport P0017003 (Belize); National ID No. 0000012345671 (Pakistan); a.k.a. 'QZ'.\"\n"                \
    "37,\"ZAR TRADING LLC\",-0- ,\"SDGT\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n"

static void ofac_files_make_one_list(void **state)
{
    struct screen_list list;
    struct screen_fault fault = {0};
    const struct screen_entry *e;

    (void)state;
    screen_list_init(&list);
    assert_true(screen_list_read_ofac(&list, slice_str(SDN "\x1a\n"), &fault));
    assert_true(screen_list_read_ofac(
        &list, slice_str("36,12,\"aka\",\"KUDRAT, Zarmazay\",-0- \n99,1,\"aka\",\"NOBODY\",-0- \n"),
        &fault));
    assert_true(screen_list_read_ofac(
        &list, slice_str("37,25,\"12 Road\",\"Town\",\"Iran\",-0- \n"), &fault));
    assert_true(screen_list_end(&list, &fault));
    e = &list.entries[0];
    assert_slice(e->id, "36");
    assert_int_equal(e->kind, SCREEN_PERSON);
    assert_int_equal(e->names.n, 2);
    assert_slice(e->names.p[1], "KUDRAT, Zarmazay");
    assert_slice(e->weak_names.p[0], "QZ");
    assert_dob(e, 0, "1963-07-28");
    assert_dob(e, 1, "1964..1966");
    assert_dob(e, 2, "1970..1972");
    assert_int_equal(e->programs.n, 2);
    assert_slice(e->programs.p[1], "IFSR");
    assert_slice(e->cnics.p[0], "0000012345671");
    assert_slice(e->passports.p[0], "P0017003");
    assert_int_equal(list.entries[1].kind, SCREEN_ORGANISATION);
    assert_slice(list.entries[1].countries.p[0], "Iran");
    assert_int_equal(list.n_orphans, 1);
    screen_list_deinit(&list);
}

static void ofac_columns_are_checked(void **state)
{
    (void)state;
    refused(screen_list_read_ofac, "", 1, "empty");
    refused(screen_list_read_ofac, "36,\"A\",-0- \n", 1, "there are 3 columns: SDN has 12");
    refused(screen_list_read_ofac, SDN "38,1,\"aka\",\"B\",-0- \n", 3, "there are 5 columns");
    refused(screen_list_read_ofac, "x,\"A\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n", 1,
            "ent_num");
    refused(screen_list_read_ofac, "36,1,\"aka\",\"B\",-0- \n", 1, "SDN first");
    refused(screen_list_read_ofac, "36,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n", 1,
            "has no name");
    refused(screen_list_read_ofac,
            "36,\"A\",\"robot\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n", 1, "SDN_Type");
}

static void dates_of_birth_are_spans(void **state)
{
    static const char *const same[] = {"1971", "1971-04-28", "1970..1973", "2000-02-29"};
    static const char *const bad[] = {"",           "71",     "1971-13", "1971-00",  "1971-02-30",
                                      "1973..1970", "1971..", "..1971",  "1971-4-1", "1700"};
    struct screen_dob dob;
    char out[SCREEN_DOB_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_ok(screen_dob_parse(slice_str(same[i]), &dob));
        assert_string_equal(screen_dob_format(dob, out), same[i]);
    }
    assert_ok(screen_dob_parse(SLICE("1971-02"), &dob));
    assert_int_equal(dob.first, 19710201);
    assert_int_equal(dob.last, 19710228);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_code(screen_dob_parse(slice_str(bad[i]), &dob), ERR_PARSE);
}

static char *slurp(const char *folder, const char *name, size_t *len)
{
    char path[512];
    FILE *file;
    char *text = malloc((size_t)16 << 20);

    snprintf(path, sizeof path, "%s/data/sanctions/%s", folder, name);
    file = fopen(path, "rb");
    *len = file == NULL ? 0 : fread(text, 1, (size_t)16 << 20, file);
    if (file != NULL)
        fclose(file);
    return text;
}

static void published_lists_are_read(void **state)
{
    static const char *const files[] = {"un_consolidated.xml", "ofac_sdn_mini.csv",
                                        "ofac_alt_mini.csv", "ofac_add_mini.csv"};
    const char *folder = getenv("UJRAT_SHARED") == NULL ? "../shared" : getenv("UJRAT_SHARED");
    struct screen_list un, ofac;
    struct screen_fault fault = {0};

    (void)state;
    screen_list_init(&un);
    screen_list_init(&ofac);
    for (size_t i = 0; i < 4; i++) {
        size_t len;
        char *text = slurp(folder, files[i], &len);

        if (len == 0) {
            free(text);
            print_message("no %s in %s/data/sanctions (UJRAT_SHARED): not tried\n", files[i],
                          folder);
            skip();
            return;
        }
        assert_true(i == 0 ? screen_list_read_un(&un, slice_of(text, len), &fault)
                           : screen_list_read_ofac(&ofac, slice_of(text, len), &fault));
        free(text);
    }
    assert_true(screen_list_end(&un, &fault) && screen_list_end(&ofac, &fault));
    assert_int_equal(un.n, 1003);
    assert_int_equal(ofac.n, 17);
    assert_int_equal(ofac.n_orphans, 9);
    screen_list_deinit(&un);
    screen_list_deinit(&ofac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(un_entry_is_read_whole),
        cmocka_unit_test(entity_bombs_are_refused_before_they_are_parsed),
        cmocka_unit_test(un_that_is_not_what_it_says_is_refused),
        cmocka_unit_test(un_fields_and_depths_have_a_bound),
        cmocka_unit_test(own_list_is_read),
        cmocka_unit_test(own_list_says_what_is_wrong_and_where),
        cmocka_unit_test(a_gigantic_line_and_field_are_refused),
        cmocka_unit_test(ofac_files_make_one_list),
        cmocka_unit_test(ofac_columns_are_checked),
        cmocka_unit_test(dates_of_birth_are_spans),
        cmocka_unit_test(published_lists_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
