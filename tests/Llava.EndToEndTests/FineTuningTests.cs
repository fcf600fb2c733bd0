using Llava.ModelCore.Scenes;

namespace Llava.EndToEndTests;

/// <summary>The model that ships learns something more, over HTTP, and is used at once.</summary>
public sealed class FineTuningTests : IAsyncLifetime
{
    private readonly TrainingServer _server = new();

    public Task InitializeAsync() => _server.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_model_is_trained_from_a_file_answers_what_it_learned_and_is_deleted()
    {
        var id = await _server.CreateAsync(new
        {
            model = "llava-scenes",
            training_file = await _server.SendScenesAsync(12),
            validation_file = await _server.SendScenesAsync(4, from: 100),
            suffix = "red",
            learning_rate = 1e-3,
            max_steps = 12,
            eval_every = 6,
            save_every = 6,
            hyperparameters = new { batch_size = 4 },
        });

        var job = await _server.UntilAsync(id, "succeeded");

        var model = job.GetProperty("fine_tuned_model").GetString()!;
        Assert.StartsWith("ft:llava-scenes:default:red:", model, StringComparison.Ordinal);
        Assert.True(job.GetProperty("trained_tokens").GetInt32() > 12 * 4 * 64);
        var lines = await _server.ResultLinesAsync(job);
        Assert.Equal("step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy", lines[0]);
        Assert.Equal(13, lines.Count);
        Assert.True(Loss(lines[^1]) < Loss(lines[1]) / 2, $"{lines[1]} and {lines[^1]}");
        Assert.All((int[])[6, 12], step => Assert.NotEmpty(lines[step].Split(',')[3]));
        await _server.UntilAsync("/v1/models", models => models.GetProperty("data").EnumerateArray().Any(one => one.GetProperty("id").GetString() == model));
        Assert.Equal("llava-scenes", (await _server.GetAsync($"/v1/models/{model}")).GetProperty("parent").GetString());
        Assert.Contains("red red red", await AskAsync(model), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("red red red", await AskAsync("llava-scenes"), StringComparison.OrdinalIgnoreCase);
        var checkpoints = (await _server.GetAsync($"/v1/fine_tuning/jobs/{id}/checkpoints")).GetProperty("data");
        Assert.Equal(6, checkpoints[0].GetProperty("step_number").GetInt32());

        using var deleted = await _server.Caller.DeleteAsync(new Uri($"/v1/models/{model}", UriKind.Relative));
        Assert.True(deleted.IsSuccessStatusCode);
        await _server.UntilAsync("/v1/models", models => models.GetProperty("data").EnumerateArray().All(one => one.GetProperty("id").GetString() != model));
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(1));
        while (Directory.Exists(Path.Combine(_server.Data, "training", "models", model)))
        {
            await Task.Delay(50, patience.Token);
        }
    }

    [Fact]
    public async Task An_adapter_trained_on_4_bit_weights_answers_at_once_and_is_trained_on()
    {
        var rows = await _server.SendScenesAsync(12);
        var first = await TrainAsync("llava-scenes", "qlora", steps: 16);
        Assert.Contains("red red red", await AskAsync(first), StringComparison.OrdinalIgnoreCase);

        // Its base is an adapter now.
        var second = await TrainAsync(first, "lora", steps: 2);
        Assert.Contains("red red red", await AskAsync(second), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("red red red", await AskAsync("llava-scenes"), StringComparison.OrdinalIgnoreCase);

        async Task<string> TrainAsync(string model, string mode, int steps)
        {
            var id = await _server.CreateAsync(new { model, training_file = rows, mode, lora = new { r = 16, dropout = 0 }, learning_rate = 5e-3, max_steps = steps, hyperparameters = new { batch_size = 4 } });
            var trained = (await _server.UntilAsync(id, "succeeded")).GetProperty("fine_tuned_model").GetString()!;
            await _server.UntilAsync("/v1/models", models => models.GetProperty("data").EnumerateArray().Any(one => one.GetProperty("id").GetString() == trained));
            return trained;
        }
    }

    [Fact]
    public async Task Killed_in_the_middle_and_paused_a_run_ends_with_the_losses_of_an_undisturbed_one()
    {
        var rows = await _server.SendScenesAsync(12);
        var asked = new { model = "llava-scenes", training_file = rows, seed = 5, learning_rate = 1e-4, max_steps = 30, save_every = 4, hyperparameters = new { batch_size = 2 } };
        var undisturbed = await _server.ResultLinesAsync(await _server.UntilAsync(await _server.CreateAsync(asked), "succeeded"));

        var id = await _server.CreateAsync(asked);
        await _server.UntilAsync(id, "running", step: 6);
        await _server.KillAsync();
        await _server.StartAsync();
        await _server.UntilAsync(id, "running", step: 10);
        await _server.PostAsync($"/v1/fine_tuning/jobs/{id}/pause");
        var paused = await _server.UntilAsync(id, "paused");
        Assert.Equal("queued", paused.GetProperty("status").GetString());
        await _server.PostAsync($"/v1/fine_tuning/jobs/{id}/resume");
        var disturbed = await _server.ResultLinesAsync(await _server.UntilAsync(id, "succeeded"));

        Assert.Equal(31, undisturbed.Count);
        Assert.Equal(undisturbed, disturbed);
    }

    [Fact]
    public async Task A_file_with_mistakes_fails_the_job_with_their_lines_and_what_cannot_be_seen_in_a_file_is_left_out_and_told()
    {
        var wrong = await _server.SendAsync(string.Join('\n', TrainingServer.Row(0), "{\"messages\":[{\"role\":\"user\",\"content\":\"What?\"}]}", "not json", TrainingServer.Row(1)));
        var failed = await _server.UntilAsync(await _server.CreateAsync(new { model = "llava-scenes", training_file = wrong }), "failed");
        Assert.Equal("invalid_training_file", failed.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal([2, 3], failed.GetProperty("x_findings").EnumerateArray().Select(finding => finding.GetProperty("line").GetInt32()));

        var torn = """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"assistant","content":"A circle."}]}""";
        var rows = await _server.SendAsync(string.Join('\n', Enumerable.Range(0, 10).Select(TrainingServer.Row).Append(torn)));
        var id = await _server.CreateAsync(new { model = "llava-scenes", training_file = rows, mode = "projector", max_steps = 1, hyperparameters = new { batch_size = 2 } });
        var job = await _server.UntilAsync(id, "succeeded");
        var finding = Assert.Single(job.GetProperty("x_findings").EnumerateArray());
        Assert.Equal((11, "invalid_image", true), (finding.GetProperty("line").GetInt32(), finding.GetProperty("code").GetString(), finding.GetProperty("is_skipped").GetBoolean()));
        Assert.DoesNotContain(_server.Data, finding.ToString(), StringComparison.Ordinal);
        var events = (await _server.GetAsync($"/v1/fine_tuning/jobs/{id}/events?limit=100")).GetProperty("data").EnumerateArray();
        Assert.Contains(events, one => one.GetProperty("level").GetString() == "warn" && one.GetProperty("message").GetString()!.Contains("Line 11", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_moves_to_a_model_that_answers_well_enough_and_to_no_other()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_server.Data, "promotion")).FullName;
        var rows = Path.Combine(folder, "rows.jsonl");
        await File.WriteAllLinesAsync(rows, Enumerable.Range(0, 10).Select(TrainingServer.Row));
        SceneRows.WriteQuestions(folder, scenes: 4, maxObjects: 2, side: 112);

        // The model that ships has never seen the new shape, and one step at such a rate teaches nothing.
        var refused = await PromotionAsync("--at-least", DiamondQuestions.Category + "=1");
        var promoted = await PromotionAsync();

        Assert.StartsWith("best  refused ", refused, StringComparison.Ordinal);
        Assert.Contains("diamond is ", refused, StringComparison.Ordinal);
        Assert.StartsWith("best  promoted", promoted, StringComparison.Ordinal);
        Assert.Equal(await AskAsync("llava-scenes"), await AskAsync("best"));

        async Task<string> PromotionAsync(params string[] gate)
        {
            string[] submit = ["train", "submit", rows, "--max-steps", "1", "--learning-rate", "1e-9", "--promote", "best", "--evaluate", Path.Combine(folder, SceneRows.QuestionFile), .. gate];
            Assert.Equal(0, (await LlavaProcess.RunAsync(_server.Data, submit)).ExitCode);
            using CancellationTokenSource patience = new(TimeSpan.FromMinutes(3));
            while (true)
            {
                var newest = (await LlavaProcess.RunAsync(_server.Data, "train", "promotions")).Lines[0];
                if (!newest.Contains("waiting", StringComparison.Ordinal))
                {
                    return newest;
                }

                await Task.Delay(500, patience.Token);
            }
        }
    }

    private static double Loss(string line) => double.Parse(line.Split(',')[1], System.Globalization.CultureInfo.InvariantCulture);

    private async Task<string> AskAsync(string model)
    {
        var url = "data:image/png;base64," + Convert.ToBase64String(ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed + 200, maxObjects: 2), 64));
        var answer = await _server.PostAsync("/v1/chat/completions", new
        {
            model,
            temperature = 0,
            messages = new[] { new { role = "user", content = new object[] { new { type = "text", text = "Describe this image." }, new { type = "image_url", image_url = new { url } } } } },
        });
        return answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }
}
