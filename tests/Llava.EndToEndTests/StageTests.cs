using System.Text.Json;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.EndToEndTests;

/// <summary>LLaVA's stages as one chain of queued runs, and runs that make room for what is more urgent.</summary>
public sealed class StageTests : IAsyncLifetime
{
    private static readonly string Fixtures = Path.Combine(Repository.Root, "tests", "Fixtures", "G_training_parity");

    private readonly TrainingServer _server = new();

    public Task InitializeAsync() => _server.StartAsync(
        ("Llava__Training__Bases__tiny__Folder", Path.Combine(Fixtures, "vicuna-tiny")),
        ("Llava__Training__Bases__tiny__VisionTower", Path.Combine(Fixtures, "openai", "clip-vit-tiny-patch14-42")),
        ("Llava__Training__Poll", "00:00:00.3"));

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_base_is_aligned_tuned_evaluated_and_promoted_as_one_chain()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_server.Data, "chain")).FullName;
        var rows = Path.Combine(folder, "rows.jsonl");
        await File.WriteAllLinesAsync(rows, Enumerable.Range(0, 10).Select(TrainingServer.Row));
        SceneRows.WriteQuestions(folder, scenes: 1, maxObjects: 2, side: 56);
        string[] few = ["--max-steps", "2", "--batch-size", "2"];

        var unknown = await LlavaProcess.RunAsync(_server.Data, ["train", "submit", rows, "--mode", "alignment", "--model", "vicuna"]);
        Assert.Contains("No live consumer has the base 'vicuna', and alignment starts from one. Those there are: tiny.", unknown.Errors, StringComparison.Ordinal);
        var aligned = await SubmitAsync([.. few, "--mode", "alignment", "--model", "tiny"]);
        var tuned = await SubmitAsync([.. few, "--after", aligned, "--promote", "best", "--evaluate", Path.Combine(folder, SceneRows.QuestionFile), "--lose-at-most", "1"]);
        var last = await SubmitAsync([.. few, "--after", tuned, "--mode", "lora"]);

        var first = await _server.UntilAsync(aligned, "succeeded");
        var second = await _server.UntilAsync(tuned, "succeeded");
        var third = await _server.UntilAsync(last, "succeeded");

        Assert.Equal(("tiny", "alignment", 1e-3), (Text(first, "model"), Text(first, "x_mode"), first.GetProperty("hyperparameters").GetProperty("learning_rate").GetDouble()));
        Assert.Equal((aligned, Text(first, "fine_tuned_model")), (Text(second, "x_after"), Text(second, "model")));
        Assert.Equal((tuned, Text(second, "fine_tuned_model")), (Text(third, "x_after"), Text(third, "model")));
        await _server.UntilAsync("/v1/models", models => Names(models).Contains(Text(third, "fine_tuned_model")));
        var served = Names(await _server.GetAsync("/v1/models"));
        Assert.Contains(Text(first, "fine_tuned_model"), served);
        Assert.DoesNotContain("tiny", served);
        Assert.StartsWith("best  promoted", await VerdictAsync(), StringComparison.Ordinal);
        var answer = await _server.PostAsync("/v1/chat/completions", new { model = "best", max_tokens = 2, messages = new[] { new { role = "user", content = "What is this?" } } });
        Assert.Equal(Text(second, "fine_tuned_model"), Text(answer, "model"));

        async Task<string> SubmitAsync(params string[] arguments)
        {
            var run = await LlavaProcess.RunAsync(_server.Data, ["train", "submit", rows, .. arguments]);
            Assert.True(run.ExitCode == 0, run.Errors);
            return run.Lines[0];
        }

        async Task<string> VerdictAsync()
        {
            await _server.UntilAsync($"/v1/fine_tuning/jobs/{tuned}/events", events => events.ToString().Contains(" stands for ft:", StringComparison.Ordinal));
            return (await LlavaProcess.RunAsync(_server.Data, "train", "promotions")).Lines[0];
        }
    }

    [Fact]
    public async Task A_run_waits_for_chats_is_put_down_for_a_more_urgent_run_and_goes_on()
    {
        var rows = await _server.SendScenesAsync(10);
        var low = await _server.CreateAsync(new { model = "llava-scenes", training_file = rows, max_steps = 2000, save_every = 2000, hyperparameters = new { batch_size = 1 } });
        await _server.UntilAsync(low, "running", step: 1);

        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(2));
        while (!(await _server.EventsAsync(low)).Exists(one => one.EndsWith("for more urgent work", StringComparison.Ordinal)))
        {
            await _server.PostAsync("/v1/chat/completions", new { model = "llava-scenes", max_tokens = 64, messages = new[] { new { role = "user", content = "Describe a red circle." } } });
            patience.Token.ThrowIfCancellationRequested();
        }

        var high = await _server.CreateAsync(new { model = "llava-scenes", training_file = rows, priority = 5, max_steps = 1, hyperparameters = new { batch_size = 1 } });
        await _server.UntilAsync(high, "succeeded");

        var disturbed = await _server.GetAsync($"/v1/fine_tuning/jobs/{low}");
        Assert.Null(disturbed.GetProperty("finished_at").GetString());
        await _server.UntilAsync(low, "running", step: disturbed.GetProperty("x_progress").GetProperty("step").GetInt32() + 1);
        await _server.PostAsync($"/v1/fine_tuning/jobs/{low}/cancel");
        var events = await _server.EventsAsync(low);
        Assert.Contains(events, one => one.StartsWith($"Put down for {high}", StringComparison.Ordinal));
        Assert.Contains(events, one => one.StartsWith("Checkpoint created", StringComparison.Ordinal));
    }

    private static string? Text(JsonElement json, string field) => json.GetProperty(field).GetString();

    private static List<string?> Names(JsonElement models) => [.. models.GetProperty("data").EnumerateArray().Select(model => Text(model, "id"))];
}
