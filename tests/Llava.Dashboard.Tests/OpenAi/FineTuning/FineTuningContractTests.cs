using System.Net.Http.Json;
using System.Text.Json;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Llava.Ledger.Promotions;
using Llava.Ledger.Training;

namespace Llava.Dashboard.Tests.OpenAi.FineTuning;

/// <summary>What OpenAI's libraries rely on in fine-tuning jobs.</summary>
public sealed class FineTuningContractTests : IAsyncLifetime
{
    private readonly FineTuningServer _server = new();

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_new_job_has_every_key_with_the_kind_that_the_strictest_library_reads()
    {
        var job = await _server.CreateAsync(("suffix", "\"circles\""), ("metadata", """{"for":"tests"}"""), ("seed", "7"));

        Assert.StartsWith("ftjob-", Text(job, "id"), StringComparison.Ordinal);
        Assert.Equal(("fine_tuning.job", "/models/llava-scenes", "validating_files", "archive", "circles"), (Text(job, "object"), Text(job, "model"), Text(job, "status"), Text(job, "organization_id"), Text(job, "user_provided_suffix")));
        Assert.Equal((7, JsonValueKind.Array, 0), (job.GetProperty("seed").GetInt32(), job.GetProperty("result_files").ValueKind, job.GetProperty("result_files").GetArrayLength()));
        Assert.Equal("tests", Text(job.GetProperty("metadata"), "for"));
        Assert.True(job.GetProperty("created_at").GetInt64() > 1_700_000_000);
        foreach (var key in (string[])["finished_at", "fine_tuned_model", "trained_tokens", "validation_file", "estimated_finish", "error"])
        {
            Assert.Equal(JsonValueKind.Null, job.GetProperty(key).ValueKind);
        }

        foreach (var holder in (JsonElement[])[job.GetProperty("hyperparameters"), job.GetProperty("method").GetProperty("supervised").GetProperty("hyperparameters")])
        {
            Assert.Equal(("auto", "auto", "auto"), (Text(holder, "n_epochs"), Text(holder, "batch_size"), Text(holder, "learning_rate_multiplier")));
        }

        Assert.Equal("supervised", Text(job.GetProperty("method"), "type"));
    }

    [Fact]
    public async Task Without_metadata_and_suffix_both_are_null_and_the_seed_is_still_a_number()
    {
        var job = await _server.CreateAsync();

        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Number), (job.GetProperty("metadata").ValueKind, job.GetProperty("user_provided_suffix").ValueKind, job.GetProperty("seed").ValueKind));
    }

    [Theory]
    [InlineData("""{"n_epochs":2,"batch_size":4,"learning_rate_multiplier":0.5}""", "hyperparameters")]
    [InlineData("""{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":2,"batch_size":4,"learning_rate_multiplier":0.5}}}""", "method")]
    public async Task Hyperparameters_are_read_in_the_old_form_and_in_the_new(string json, string field)
    {
        var chosen = (await _server.CreateAsync((field, json))).GetProperty("hyperparameters");

        Assert.Equal((2, 4, 0.5), (chosen.GetProperty("n_epochs").GetInt32(), chosen.GetProperty("batch_size").GetInt32(), chosen.GetProperty("learning_rate_multiplier").GetDouble()));
    }

    [Fact]
    public async Task A_job_that_ran_tells_what_was_chosen_what_it_learned_and_what_it_made()
    {
        var id = Text(await _server.CreateAsync(), "id");
        var lease = await _server.TrainAsync(4);
        var running = await _server.GetAsync($"{FineTuningServer.Jobs}/{id}");
        Assert.Equal(("running", JsonValueKind.Number), (Text(running, "status"), running.GetProperty("estimated_finish").ValueKind));
        await _server.Leases.SucceedAsync(lease, "file-results");

        var done = await _server.GetAsync($"{FineTuningServer.Jobs}/{id}");

        Assert.Equal(("succeeded", 400, "file-results"), (Text(done, "status"), done.GetProperty("trained_tokens").GetInt32(), done.GetProperty("result_files")[0].GetString()));
        Assert.StartsWith("ft:llava-scenes:archive::", Text(done, "fine_tuned_model"), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, done.GetProperty("estimated_finish").ValueKind);
        Assert.Equal(3, done.GetProperty("hyperparameters").GetProperty("n_epochs").GetInt32());
    }

    [Fact]
    public async Task Events_and_checkpoints_come_page_by_page_the_newest_first()
    {
        var id = Text(await _server.CreateAsync(), "id");
        await _server.Leases.SucceedAsync(await _server.TrainAsync(4), "file-results");
        var path = $"{FineTuningServer.Jobs}/{id}";

        List<JsonElement> events = [];
        for (var after = ""; ;)
        {
            var page = await _server.GetAsync($"{path}/events?limit=3{after}");
            Assert.Equal("list", Text(page, "object"));
            events.AddRange(page.GetProperty("data").EnumerateArray());
            Assert.Equal(Text(events[^1], "id"), Text(page, "last_id"));
            if (!page.GetProperty("has_more").GetBoolean())
            {
                break;
            }

            after = $"&after={Text(page, "last_id")}";
        }

        Assert.Equal(events.Count, events.Select(one => Text(one, "id")).Distinct().Count());
        Assert.Equal("The job has successfully completed", Text(events[0], "message"));
        Assert.All(events, one => Assert.Equal(("fine_tuning.job.event", true), (Text(one, "object"), Text(one, "level") is "info" or "warn" or "error")));
        Assert.Equal(4, events.Count(one => Text(one, "type") == "metrics"));
        Assert.Equal(4, events.First(one => Text(one, "type") == "metrics").GetProperty("data").GetProperty("step").GetInt32());
        var checkpoints = (await _server.GetAsync($"{path}/checkpoints?limit=1")).GetProperty("data");
        var checkpoint = Assert.Single(checkpoints.EnumerateArray());
        Assert.Equal((4, id), (checkpoint.GetProperty("step_number").GetInt32(), Text(checkpoint, "fine_tuning_job_id")));
        Assert.EndsWith(":ckpt-step-4", Text(checkpoint, "fine_tuned_model_checkpoint"), StringComparison.Ordinal);
        Assert.Equal((4, 2.0, 3.0, 0.25), (checkpoint.GetProperty("metrics").GetProperty("step").GetInt32(), Metric("train_loss"), Metric("full_valid_loss"), Metric("full_valid_mean_token_accuracy")));
        var next = await _server.GetAsync($"{path}/checkpoints?after={Text(checkpoint, "id")}");
        Assert.Equal([2], next.GetProperty("data").EnumerateArray().Select(one => one.GetProperty("step_number").GetInt32()));

        double Metric(string name) => checkpoint.GetProperty("metrics").GetProperty(name).GetDouble();
    }

    [Fact]
    public async Task A_paused_job_says_queued_to_the_libraries_and_paused_to_those_who_know()
    {
        var id = Text(await _server.CreateAsync(), "id");

        var paused = await _server.PostAsync($"{FineTuningServer.Jobs}/{id}/pause");
        var resumed = await _server.PostAsync($"{FineTuningServer.Jobs}/{id}/resume");
        var cancelled = await _server.PostAsync($"{FineTuningServer.Jobs}/{id}/cancel");

        Assert.Equal([("queued", "paused"), ("validating_files", "validating_files"), ("cancelled", "cancelled")], ((JsonElement[])[paused, resumed, cancelled]).Select(job => (Text(job, "status"), Text(job, "x_state"))));
        Assert.Equal((400, "invalid_state"), await CodeAsync(_server.Caller.PostAsync(new Uri($"{FineTuningServer.Jobs}/{id}/resume", UriKind.Relative), null)));
    }

    [Fact]
    public async Task Jobs_are_listed_the_newest_first_and_by_their_metadata()
    {
        var first = Text(await _server.CreateAsync(("metadata", """{"team":"a"}""")), "id");
        var second = Text(await _server.CreateAsync(), "id");
        var third = Text(await _server.CreateAsync(("metadata", """{"team":"a","kind":"b"}""")), "id");

        Assert.Equal([third, second, first], await IdsAsync(""));
        Assert.Equal([third, first], await IdsAsync("?metadata[team]=a"));
        Assert.Equal([third], await IdsAsync("?metadata%5Bteam%5D=a&metadata%5Bkind%5D=b"));
        Assert.Equal([second], await IdsAsync("?metadata=null"));
        Assert.Equal([second], await IdsAsync($"?limit=1&after={third}"));

        async Task<IEnumerable<string>> IdsAsync(string query) =>
            (await _server.GetAsync(FineTuningServer.Jobs + query)).GetProperty("data").EnumerateArray().Select(job => Text(job, "id"));
    }

    [Fact]
    public async Task A_name_may_be_promised_to_the_model_and_the_questions_are_asked_of_it_once_it_is_made()
    {
        var job = await _server.CreateAsync(("promotion", """
            {"name":"best","evaluate":{"source":{"kind":"manifest","path":"file-id:file-1"},"expected":"answer"},"at_least":{"circles":0.9},"lose_at_most":0.02,"again":["job_1000000000000"]}
            """));

        var promotion = (await _server.Runs.ReadAsync(Text(job, "id"), null)).Request.Promotion!;
        Assert.Equal(("best", 0.02, "file-id:file-1", "answer"), (promotion.Name, promotion.LoseAtMost, promotion.Evaluate.Source.Path, promotion.Evaluate.Expected));
        Assert.Equal("job_1000000000000", Assert.Single(promotion.Again).ToString());
        Assert.Equal(("circles", 0.9), promotion.AtLeast.Select(rule => (rule.Key, rule.Value)).Single());
        await _server.Leases.SucceedAsync(await _server.TrainAsync(4), "file-results");
        var waiting = Assert.Single(await _server.Server.Get<PromotionStore>().ListWaitingAsync());
        Assert.Equal((Text(job, "id"), "best"), (waiting.Run, waiting.Name));
    }

    [Theory]
    [InlineData("model", "null", "missing_required_parameter", "model")]
    [InlineData("training_file", "\"\"", "missing_required_parameter", "training_file")]
    [InlineData("training_file", "\"file-none\"", "file_not_found", "training_file")]
    [InlineData("validation_file", "\"file-none\"", "file_not_found", "validation_file")]
    [InlineData("mode", "\"best\"", "invalid_value", "mode")]
    [InlineData("lora", """{"r":8}""", "invalid_value", "lora")]
    [InlineData("lora", "8", "invalid_type", "lora")]
    [InlineData("lora", """{"r":"wide"}""", "invalid_type", "lora.r")]
    [InlineData("lora", """{"targets":["q_proj"]}""", "unsupported_parameter", "lora.targets")]
    [InlineData("integrations", """[{"type":"wandb","wandb":{"project":"p"}}]""", "unsupported_parameter", "integrations")]
    [InlineData("method", """{"type":"dpo","dpo":{}}""", "unsupported_parameter", "method.type")]
    [InlineData("hyperparameters", """{"n_epochs":51}""", "invalid_value", "n_epochs")]
    [InlineData("hyperparameters", """{"batch_size":257}""", "invalid_value", "batch_size")]
    [InlineData("hyperparameters", """{"n_epochs":1.5}""", "invalid_type", "hyperparameters.n_epochs")]
    [InlineData("hyperparameters", """{"n_epochs":"many"}""", "invalid_type", "hyperparameters.n_epochs")]
    [InlineData("hyperparameters", "3", "invalid_type", "hyperparameters")]
    [InlineData("suffix", "\"two words\"", "invalid_value", "suffix")]
    [InlineData("seed", "-1", "invalid_value", "seed")]
    [InlineData("metadata", """{"a":1}""", "invalid_type", "metadata")]
    [InlineData("promotion", "\"best\"", "invalid_value", "promotion")]
    [InlineData("promotion", """{"name":"best"}""", "invalid_value", "promotion")]
    [InlineData("promotion", """{"name":"best","evaluate":{"source":{"kind":"manifest","path":"file-id:file-1"},"expected":"answer","models":"x"}}""", "invalid_value", "promotion.evaluate.models")]
    [InlineData("promotion", """{"name":"best","evaluate":{"source":{"kind":"manifest","path":"file-id:file-1"}}}""", "invalid_value", "promotion.evaluate")]
    [InlineData("promotion", """{"name":"the best","evaluate":{"source":{"kind":"manifest","path":"file-id:file-1"},"expected":"answer"}}""", "invalid_value", "promotion.name")]
    public async Task What_is_wrong_with_a_job_is_refused_with_the_field(string field, string json, string code, string param)
    {
        var refused = await _server.RefusalAsync((field, json));

        Assert.Equal((400, code, param), (refused.Status, refused.Code, refused.Param));
        Assert.Empty((await _server.GetAsync(FineTuningServer.Jobs)).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task A_model_that_nobody_serves_and_a_file_for_something_else_are_refused()
    {
        var (status, code, param, _) = await _server.RefusalAsync(("model", "\"gpt-4o\""));
        Assert.Equal((404, "model_not_found", "model"), (status, code, param));
        var batch = await _server.SendAsync("batch");
        Assert.Equal("invalid_file_purpose", (await _server.RefusalAsync(("training_file", $"\"{batch}\""))).Code);
        var others = await _server.SendAsync("fine-tune", "other");
        Assert.Equal("file_not_found", (await _server.RefusalAsync(("training_file", $"\"{others}\""))).Code);
    }

    [Fact]
    public async Task Another_tenants_job_is_as_if_it_were_not_there_and_a_viewer_only_looks()
    {
        var id = Text(await _server.CreateAsync(), "id");
        using var other = await _server.Server.CallerAsync(AccessRole.Operator, "other");
        using var viewer = await _server.Server.CallerAsync(AccessRole.Viewer);
        Uri path = new($"{FineTuningServer.Jobs}/{id}", UriKind.Relative);

        Assert.Equal((404, "fine_tuning_job_not_found"), await CodeAsync(other.GetAsync(path)));
        Assert.Equal((404, "fine_tuning_job_not_found"), await CodeAsync(other.PostAsync(new Uri($"{path}/cancel", UriKind.Relative), null)));
        using var seen = await viewer.GetAsync(path);
        Assert.Equal(System.Net.HttpStatusCode.OK, seen.StatusCode);
        using var refused = await viewer.PostAsJsonAsync(FineTuningServer.Jobs, _server.Asking());
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task A_trained_model_is_listed_with_its_parent_for_its_tenant_and_can_be_deleted()
    {
        await _server.CreateAsync();
        await _server.Leases.SucceedAsync(await _server.TrainAsync(2), "file-results");
        var model = (await _server.Runs.ListSucceededAsync()).Single().Model;
        await _server.ServeAsync("/models/llava-scenes", model);

        var listed = (await _server.GetAsync("/v1/models")).GetProperty("data").EnumerateArray().Single(one => Text(one, "id") == model);
        Assert.Equal(("/models/llava-scenes", "archive"), (Text(listed, "parent"), Text(listed, "owned_by")));
        using var other = await _server.Server.CallerAsync(AccessRole.Operator, "other");
        Assert.Equal((404, "model_not_found"), await CodeAsync(other.GetAsync(new Uri($"/v1/models/{model}", UriKind.Relative))));
        Assert.Equal((404, "model_not_found"), await CodeAsync(other.DeleteAsync(new Uri($"/v1/models/{model}", UriKind.Relative))));
        Assert.Equal((404, "model_not_found"), await CodeAsync(_server.Caller.DeleteAsync(new Uri("/v1/models/llava-scenes", UriKind.Relative))));

        using var deleted = await _server.Caller.DeleteAsync(new Uri($"/v1/models/{model}", UriKind.Relative));

        var answer = await Server.JsonAsync(deleted);
        Assert.Equal((model, "model", true), (Text(answer, "id"), Text(answer, "object"), answer.GetProperty("deleted").GetBoolean()));
        Assert.DoesNotContain((await _server.GetAsync("/v1/models")).GetProperty("data").EnumerateArray(), one => Text(one, "id") == model);
    }

    [Fact]
    public async Task A_job_whose_file_is_wrong_says_so_with_the_lines()
    {
        var id = Text(await _server.CreateAsync(), "id");
        var lease = (await _server.Leases.ClaimAsync(TrainingPhase.Validate, "w"))!.Lease;
        await _server.Leases.FailAsync(lease, new("invalid_training_file", "Line 3 is no JSON.", "training_file"), [new(_server.TrainingFile, 3, "invalid_json_line", "Line 3 is no JSON.", false)]);

        var job = await _server.GetAsync($"{FineTuningServer.Jobs}/{id}");

        Assert.Equal(("failed", "invalid_training_file", "training_file"), (Text(job, "status"), Text(job.GetProperty("error"), "code"), Text(job.GetProperty("error"), "param")));
        Assert.Equal((3, "invalid_json_line"), (job.GetProperty("x_findings")[0].GetProperty("line").GetInt32(), Text(job.GetProperty("x_findings")[0], "code")));
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static async Task<(int Status, string Code)> CodeAsync(Task<HttpResponseMessage> asked)
    {
        var refused = await FineTuningServer.RefusalAsync(asked);
        return (refused.Status, refused.Code);
    }
}
