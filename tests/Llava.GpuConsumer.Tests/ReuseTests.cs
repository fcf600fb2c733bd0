using System.Globalization;
using System.Text;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer.Runners;
using Llava.Ledger.Results;

namespace Llava.GpuConsumer.Tests;

/// <summary>Equal items answered once, and answers given again to later jobs, through the whole pipeline.</summary>
public sealed class ReuseTests : IAsyncLifetime
{
    private const int Items = 64;
    private const int Different = 8;

    private readonly Pipeline _pipeline = new();
    private readonly ScriptedRunner _runner = new((item, _) => ScriptedRunner.Echo(item));

    // One chunk at a time, so that it is known which item is the first of its equals.
    public Task InitializeAsync() => _pipeline.StartAsync(_runner, consumer: options => options.ConcurrentChunks = 1);

    public async Task DisposeAsync() => await _pipeline.DisposeAsync();

    [Fact]
    public async Task Equal_items_of_a_job_are_answered_once_and_each_has_its_result()
    {
        var results = await RunAsync(request => request with { Deduplicate = true });

        Assert.Equal(Enumerable.Range(0, Different), _runner.Asked.Keys.Order());
        Assert.Equal(Enumerable.Range(0, Items).Select(Prompt), results.Select(result => result.Result.Text));
        Assert.All(results, result =>
        {
            var first = result.ItemNo % Different;
            Assert.Equal(first == result.ItemNo ? null : first, result.Result.CopyOf?.ItemNo);
            Assert.Equal(first == result.ItemNo ? new TokenUsage(3, 2) : default, result.Result.Usage);
            Assert.Equal("stop", result.Result.FinishReason);
        });
        var progress = await _pipeline.Jobs.ProgressAsync(await LastJobAsync());
        Assert.Equal((Items, Items - Different, 0, 3 * Different), (progress.Succeeded, progress.Copied, progress.Cached, progress.PromptTokens));
    }

    [Fact]
    public async Task A_job_that_does_not_ask_for_it_runs_every_item()
    {
        var results = await RunAsync(request => request);

        Assert.Equal(Items, _runner.Asked.Count);
        Assert.All(results, result => Assert.Null(result.Result.CopyOf));
    }

    [Fact]
    public async Task Copies_within_a_job_are_not_given_to_another()
    {
        await RunAsync(request => request with { Deduplicate = true });
        await RunAsync(request => request with { Deduplicate = true });

        Assert.Equal(Enumerable.Repeat(2, Different), _runner.Asked.Values);
    }

    [Fact]
    public async Task Sampled_answers_of_equal_items_are_shared_where_the_job_asks_for_it()
    {
        await RunAsync(request => request with { Deduplicate = true, Generation = new() { Temperature = 1 } });

        Assert.Equal(Different, _runner.Asked.Count);
    }

    [Fact]
    public async Task A_later_job_of_the_tenant_is_answered_from_the_cache()
    {
        await RunAsync(request => request with { Cache = true });
        var first = await LastJobAsync();
        _pipeline.Clock.Advance(TimeSpan.FromSeconds(1)); // so that the second job is the last
        var results = await RunAsync(request => request with { Cache = true, ChunkItems = 5 });

        Assert.Equal(Enumerable.Repeat(1, Different), _runner.Asked.Values);
        Assert.Equal(Enumerable.Range(0, Items).Select(Prompt), results.Select(result => result.Result.Text));
        Assert.All(results, result => Assert.Equal((new ItemReference(first, result.ItemNo % Different), default), (result.Result.CopyOf!.Value, result.Result.Usage)));
        Assert.Equal(Items, (await _pipeline.Jobs.ProgressAsync(await LastJobAsync())).Cached);
    }

    [Fact]
    public async Task What_differs_in_tenant_prompt_or_settings_is_not_answered_from_the_cache()
    {
        Func<JobRequest, JobRequest>[] changes =
        [
            request => request,
            request => request with { Tenant = "other" },
            request => request with { Generation = new() { MaxNewTokens = 7 } },
            request => request with { Prompt = "Really: {prompt}" },
            request => request with { ConversationTemplate = "plain" },
            request => request with { ImageAspect = "pad" },
        ];
        foreach (var change in changes)
        {
            await RunAsync(request => change(request) with { Cache = true });
        }

        Assert.Equal(Enumerable.Repeat(changes.Length, Different), _runner.Asked.Values);
    }

    [Fact]
    public async Task With_a_seed_each_item_has_its_own_draws_and_a_later_job_gets_those()
    {
        GenerationSettings sampled = new() { Temperature = 1, Seed = 5 };

        await RunAsync(request => request with { Cache = true, Generation = sampled });
        var again = await RunAsync(request => request with { Cache = true, Generation = sampled });

        Assert.Equal(Enumerable.Repeat(1, Items), _runner.Asked.Values);
        Assert.All(again, result => Assert.Equal(result.ItemNo, result.Result.CopyOf?.ItemNo));
    }

    [Fact]
    public async Task Equal_images_under_different_names_are_one_and_are_read_once()
    {
        await _pipeline.StopAsync();
        ScriptedRunner runner = new(async (item, cancellation) =>
        {
            File.Delete(_pipeline.In("0.png")); // what it was hashed from is what is answered
            return new ItemAnswer(Encoding.UTF8.GetString(await item.ImageBytes!.ReadAsync(item.Images[0], cancellation)), "stop", default, null);
        });
        await _pipeline.StartAsync(runner, consumer: options => options.ConcurrentChunks = 1);
        for (var image = 0; image < 4; image++)
        {
            await File.WriteAllTextAsync(_pipeline.In($"{image}.png"), image < 3 ? "same" : "other");
        }

        var job = await _pipeline.SubmitAsync("images.jsonl", Enumerable.Range(0, 4).Select(i => $$"""{"image":"{{i}}.png","prompt":"What?"}"""), change: request => request with { Deduplicate = true });
        await _pipeline.WaitForAsync(job, JobState.Completed);

        Assert.Equal([0, 3], runner.Asked.Keys.Order());
        Assert.Equal(["same", "same", "same", "other"], (await _pipeline.ResultsAsync(job)).Select(result => result.Result.Text));
    }

    [Fact]
    public async Task When_the_first_of_equal_items_fails_the_others_are_tried_themselves_and_failures_are_not_kept()
    {
        await _pipeline.StopAsync();
        ScriptedRunner runner = new((item, _) => item.ItemNo == 0 ? throw new ItemException("odd", "It is odd.") : ScriptedRunner.Echo(item));
        await _pipeline.StartAsync(runner, consumer: options => options.ConcurrentChunks = 1);

        var job = await _pipeline.SubmitAsync("equal.jsonl", Enumerable.Repeat("""{"prompt":"Same?"}""", 16), change: request => request with { Deduplicate = true });
        await _pipeline.WaitForAsync(job, JobState.Completed);

        var results = await _pipeline.ResultsAsync(job);
        Assert.Equal("odd", results[0].Result.Failure?.Code);
        Assert.All(results.Skip(1), result => Assert.Equal("Same?", result.Result.Text));
        Assert.All(results.Skip(8), result => Assert.NotNull(result.Result.CopyOf));
    }

    private static string Prompt(int item) => string.Create(CultureInfo.InvariantCulture, $"question {item % Different}");

    private async Task<List<ItemResult>> RunAsync(Func<JobRequest, JobRequest> change)
    {
        var job = await _pipeline.SubmitAsync("repeated.jsonl", Enumerable.Range(0, Items).Select(i => $$"""{"prompt":"{{Prompt(i)}}"}"""), chunkItems: 16, change: change);
        await _pipeline.WaitForAsync(job, JobState.Completed);
        return await _pipeline.ResultsAsync(job);
    }

    private async Task<JobId> LastJobAsync() => (await _pipeline.Jobs.ListAsync(new() { Limit = 1 }))[0].Id;
}
