/* Codes are those of the published sets, a status means what it says, and ids are the same every time. */
#include "domain/iso20022_reason.h"
#include "iso20022/codes.h"
#include "iso20022/ids.h"
#include "iso20022/rules.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void only_settled_is_settled_and_only_rejected_is_rejected(void **state)
{
    static const char *const pending[] = {"RCVD", "PDNG", "ACTC", "ACCP",
                                          "ACSP", "ACWP", "ACWC", "ACPD"};
    static const char *const unknown[] = {"BLCK", "CANC", "ZZZZ",  "",
                                          "acsc", "ACS",  "ACSCC", "RJC"};
    (void)state;
    assert_int_equal(iso_status_outcome(SLICE("ACSC")), ISO_OUTCOME_SETTLED);
    assert_int_equal(iso_status_outcome(SLICE("ACCC")), ISO_OUTCOME_SETTLED);
    assert_int_equal(iso_status_outcome(SLICE("RJCT")), ISO_OUTCOME_REJECTED);
    for (size_t i = 0; i < sizeof pending / sizeof pending[0]; i++)
        assert_int_equal(iso_status_outcome(slice_str(pending[i])), ISO_OUTCOME_PENDING);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_int_equal(iso_status_outcome(slice_str(unknown[i])), ISO_OUTCOME_UNKNOWN);
    assert_int_equal(iso_recall_answer(SLICE("ACCR")), ISO_RECALL_ACCEPTED);
    assert_int_equal(iso_recall_answer(SLICE("RJCR")), ISO_RECALL_REJECTED);
    assert_int_equal(iso_recall_answer(SLICE("PDCR")), ISO_RECALL_PENDING);
    assert_int_equal(iso_recall_answer(SLICE("CNCL")), ISO_RECALL_UNKNOWN);
}

static void a_reason_is_known_in_the_set_of_its_message_alone(void **state)
{
    struct iso_reasons reasons = {
        .n = 2, .at = {{.originator_bic = SLICE("ZZZZPKKA")}, {.code = SLICE("NOOR")}}};
    struct iso_code code;
    (void)state;
    iso_reason_explain(ISO_CAMT_029, &reasons, &code);
    assert_string_equal(code.text, "NOOR");
    assert_true(code.known && code.meaning[0] != '\0');
    iso_reason_explain(ISO_PACS_002, &reasons, &code);
    assert_string_equal(code.text, "NOOR");
    assert_false(code.known);
    assert_string_equal(code.meaning, "");
    reasons.at[1] = (struct iso_reason){.proprietary = SLICE("AC04")};
    iso_reason_explain(ISO_PACS_002, &reasons, &code);
    assert_true(code.proprietary && !code.known); /* a bank's own AC04 is not ISO's */
    /* cut between two characters, not within one */
    reasons.at[1].proprietary = SLICE(
        "\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8"
        "\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8\xD8\xA8");
    iso_reason_explain(ISO_PACS_002, &reasons, &code);
    assert_int_equal(strlen(code.text), 34);
    reasons.n = 0;
    iso_reason_explain(ISO_PACS_002, &reasons, &code);
    assert_string_equal(code.text, "");
}

static json_t *published(const char *name)
{
    char path[256];
    json_error_t error;
    json_t *set = NULL;
    (void)snprintf(path, sizeof path, "../shared/data/iso20022-codes/external_%s_code.json", name);
    set = json_load_file(path, 0, &error);
    if (set == NULL)
        (void)snprintf(path, sizeof path, "../../shared/data/iso20022-codes/external_%s_code.json",
                       name);
    return set != NULL ? set : json_load_file(path, 0, &error);
}

static void tables_are_the_published_sets(void **state)
{
    static const char *const names[] = {"status_reason", "return_reason", "cancellation_reason",
                                        "payment_cancellation_rejection"};
    json_t *sets[4];
    json_t *statuses = published("payment_transaction_status");
    size_t listed[4] = {0};
    unsigned n = 0;
    (void)state;
    if (statuses == NULL) {
        printf(
            "# SKIP: no ../shared/data/iso20022-codes here: TABLES ARE NOT COMPARED WITH THE PUBLISHED SETS\n");
        skip();
    }
    for (size_t i = 0; i < 4; i++)
        assert_non_null(sets[i] = published(names[i]));
    for (const struct iso20022_reason *r = NULL; (r = iso20022_reason_at(n)) != NULL; n++) {
        const bool in[4] = {r->rejects, r->returns, r->cancels, r->refuses_cancel};
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(in[i],
                             json_object_get(json_object_get(sets[i], "codes"), r->code) != NULL);
            listed[i] += in[i];
        }
        assert_ptr_equal(iso20022_reason_find(slice_str(r->code)), r);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(listed[i], json_object_size(json_object_get(sets[i], "codes")));
        json_decref(sets[i]);
    }
    for (n = 0; iso_status_at(n) != NULL; n++)
        assert_non_null(
            json_object_get(json_object_get(statuses, "codes"), iso_status_at(n)->code));
    assert_int_equal(n, json_object_size(json_object_get(statuses, "codes")));
    json_decref(statuses);
}

/* By another SHA-256: printf 'ujrat:uetr:1\0UJRTPKKAXXX\0UJ7-42' | sha256sum */
static void a_uetr_is_made_of_sender_and_instruction(void **state)
{
    char uetr[ISO_UETR_SIZE];
    char other[ISO_UETR_SIZE];
    (void)state;
    assert_ok(iso_uetr_make(SLICE("UJRTPKKAXXX"), SLICE("UJ7-42"), uetr));
    assert_string_equal(uetr, "696b0b1d-ed7f-4105-9257-d8e4babeee0f");
    assert_ok(iso_uetr_make(SLICE("DEMOPKKA"), SLICE("UJ7-42"), other));
    assert_string_not_equal(uetr, other);
    /* the border between the two is part of it */
    assert_ok(iso_uetr_make(SLICE("A"), SLICE("BC"), uetr));
    assert_ok(iso_uetr_make(SLICE("AB"), SLICE("C"), other));
    assert_string_not_equal(uetr, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_settled_is_settled_and_only_rejected_is_rejected),
        cmocka_unit_test(a_reason_is_known_in_the_set_of_its_message_alone),
        cmocka_unit_test(tables_are_the_published_sets),
        cmocka_unit_test(a_uetr_is_made_of_sender_and_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
