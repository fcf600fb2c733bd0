insert into expected_answers (job_id, item_no, text)
select @job, answer.item_no, answer.text
from json_to_recordset(cast(@answers as json)) as answer (item_no integer, text text);
