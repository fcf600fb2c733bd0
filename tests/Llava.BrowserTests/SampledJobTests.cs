using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Ledger.Sampling;
using Llava.Ledger.Schedules;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>Jobs with a sample and a score, and schedules that evaluate and train, as people use them.</summary>
public sealed class SampledJobTests(AdministrationSite site) : IClassFixture<AdministrationSite>
{
    [Theory]
    [InlineData(375)]
    [InlineData(1280)]
    public async Task A_sampled_job_says_what_the_rest_takes_and_goes_on_at_a_press(int width)
    {
        var job = await SampledJobAsync();
        await using var page = await site.OpenAsync(AccessRole.Operator, $"/jobs/{job}", width);

        await Expect(page["main"]).ToContainTextAsync("sampled: waits to be resumed");
        await Expect(page["#sample"]).ToContainTextAsync("The rest takes");
        await Expect(page["#sample"]).ToContainTextAsync("for 36 items");
        await Expect(page["#sample"]).ToContainTextAsync(AdministrationSite.Hostile);
        await Expect(page[".figures"]).ToContainTextAsync("3 of 4 as expected");
        Assert.True(await page.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        await page.PressAsync("Go on with the rest");

        await Expect(page[".state"].First).ToHaveTextAsync("queued");
        await Expect(page["#sample"]).ToContainTextAsync("the job went on");
        Assert.Equal(JobState.Queued, (await site.Get<JobReader>().ReadAsync(job)).State);
        page.IsInnocent();
    }

    [Fact]
    public async Task Schedules_that_evaluate_and_train_are_made_and_edited()
    {
        await using var page = await site.OpenAsync(AccessRole.Operator, "/schedules/edit");
        await page["nav a:text-is('Evaluate')"].ClickAsync();
        await page["[name='Form.Name']"].FillAsync("score");
        await page["[name='Form.Path']"].FillAsync("/data/questions.jsonl");
        await page["[name='Form.Model']"].FillAsync("scenes");
        await page["[name='Form.Expected']"].FillAsync("truth");
        await page.PressAsync("Make schedule");
        await Expect(page["h1"]).ToHaveTextAsync("score");
        await Expect(page[".facts"].First).ToContainTextAsync("truth");

        await page.GoAsync("/schedules/edit?kind=finetune");
        await page["[name='Form.Name']"].FillAsync("learn");
        await page["[name='Form.Model']"].FillAsync("scenes");
        await page["[name='Form.Mode']"].SelectOptionAsync("Projector");
        await page["[name='Form.Epochs']"].FillAsync("99");
        await page.PressAsync("Make schedule");
        Assert.False(await page["[name='Form.Epochs']"].EvaluateAsync<bool>("field => field.validity.valid"));
        await page["[name='Form.Epochs']"].FillAsync("3");
        await page.PressAsync("Make schedule");
        await Expect(page[".facts"].First).ToContainTextAsync("the newest file to learn from");
        await page["a:has-text('Edit')"].ClickAsync();
        await Expect(page["[name='Form.Mode']"]).ToHaveValueAsync("Projector");
        await page["[name='Form.Epochs']"].FillAsync("2");
        await page.PressAsync("Save");
        await Expect(page["h1"]).ToHaveTextAsync("learn");
        await page.PressAsync("Run now");
        await Expect(page["tbody tr:has-text('learn')"]).ToContainTextAsync("no file to learn from");

        var (score, learn) = (await site.Get<ScheduleStore>().ReadAsync("default", "score"), await site.Get<ScheduleStore>().ReadAsync("default", "learn"));
        Assert.Equal((ScheduleKind.Evaluate, "truth", SourceKind.Questions, false), (score.Definition.Kind, score.Definition.Request!.Expected, score.Definition.Request.Source.Kind, score.Definition.OnlyNew));
        Assert.Equal((ScheduleKind.Finetune, TrainingMode.Projector, 2, ScheduleDefinition.NewestFile), (learn.Definition.Kind, learn.Definition.Training!.Settings.Mode, learn.Definition.Training.Settings.Epochs!.Value, learn.Definition.Training.TrainingFile));
        page.IsInnocent();
    }

    [Theory]
    [InlineData(375)]
    [InlineData(1280)]
    public async Task No_form_needs_sideways_scrolling(int width)
    {
        await using var page = await site.OpenAsync(AccessRole.Operator, width: width);
        foreach (var kind in (string[])["annotate", "evaluate", "finetune"])
        {
            await page.GoAsync($"/schedules/edit?kind={kind}");
            await Expect(page["nav a[aria-current=page]:text-is('" + char.ToUpperInvariant(kind[0]) + kind[1..] + "')"]).ToBeVisibleAsync();
            Assert.True(await page.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"The form for {kind} is wider than {width} pixels.");
        }
    }

    /// <summary>A job of forty items, four of them sampled: one failed for a cause with a hostile name, three are right.</summary>
    private async Task<JobId> SampledJobAsync()
    {
        var (job, _) = await site.Get<JobSubmission>().SubmitAsync(new() { Model = "scenes", Prompt = "?", Sample = 4, Expected = "answer", ChunkItems = 8, Source = new() { Kind = SourceKind.Folder, Path = "/data/sampled" } });
        var chunks = Enumerable.Range(0, 40).Select(item => new ExpandedItem(new($"{item}", [$"/data/{item}.jpg"])) { Expected = "a" }).Chunk(8).Select(chunk => new ExpandedChunk(chunk, 8));
        Assert.True(await site.Get<JobExpansion>().AppendAsync(job, 0, [.. chunks], "end"));
        Assert.True(await site.Get<JobExpansion>().FinishAsync(job));
        var waiting = await site.Get<ChunkDispatch>().WaitingAsync(job, 100);
        foreach (var chunk in waiting)
        {
            var claimed = (await site.Get<ChunkLeases>().ClaimAsync(job, chunk.ChunkNo, 0, "w"))!;
            Assert.True(await site.Get<ResultWriter>().CommitAsync(
                claimed.Lease, [.. claimed.Items.Select(item => chunk == waiting[0] ? FinishedItem.Failed(item.ItemNo, new(AdministrationSite.Hostile, "why")) : Answered(item.ItemNo))], completesChunk: true));
        }

        Assert.Equal([job], await site.Get<JobSampling>().PauseSampledAsync());
        return job;
    }

    private static FinishedItem Answered(int item) => new() { ItemNo = item, Outcome = ItemOutcome.Succeeded, Text = "a", FinishReason = "stop", Usage = new(600, 40), Timings = new(0, 0, 200, 1800) };
}
