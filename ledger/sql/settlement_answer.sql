-- Answers to what a bank was asked, of any books: bank, principal, items. One number an item: 0 recorded, 1 said before, else the
-- reason it is refused for.
SELECT outcome FROM answer_questions($1::int2, $2::int4, $3::question_answer[])
