using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Reviews;
using Llava.Ledger.Throughput;

namespace Llava.Ledger.Tests;

/// <summary>Looking at results and saying what they are worth. The same on every database.</summary>
public abstract class ReviewTests(TestDatabase database) : LedgerFixture(database)
{
    private ReviewStore Reviews => Get<ReviewStore>();

    private GalleryReader Gallery => Get<GalleryReader>();

    [Fact]
    public async Task Of_several_reviews_the_last_holds_and_all_are_kept()
    {
        var job = await AnsweredJobAsync(items: 3);

        await Reviews.AddAsync(job, 1, ReviewVerdict.Accepted, null, "anna");
        Clock.Advance(TimeSpan.FromSeconds(1));
        var last = await Reviews.AddAsync(job, 1, ReviewVerdict.Edited, " a blue ball ", "ben");

        Assert.Equal(new Review(2, ReviewVerdict.Edited, "a blue ball", "answer 1", "ben", Clock.GetUtcNow()), last);
        Assert.Equal([(1, "anna"), (2, "ben")], (await Reviews.HistoryAsync(job, 1)).Select(review => (review.Number, review.Reviewer)));
        Assert.Equal(new ReviewCounts(0, 1, 0), await Reviews.CountsAsync(job));
        Assert.Equal("a blue ball", (await Gallery.FindAsync(job, 1))!.Review!.Final);
    }

    [Fact]
    public async Task People_at_the_same_item_at_once_follow_each_other()
    {
        var job = await AnsweredJobAsync(items: 1);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(person => Reviews.AddAsync(job, 0, ReviewVerdict.Accepted, null, $"person {person}")));

        Assert.Equal(Enumerable.Range(1, 8), (await Reviews.HistoryAsync(job, 0)).Select(review => review.Number));
        Assert.Equal(1, (await Reviews.CountsAsync(job)).Total);
    }

    [Fact]
    public async Task What_cannot_be_said_is_refused()
    {
        var job = await AnsweredJobAsync(items: 2, failed: item => item == 1);

        Assert.Equal("item_not_answered", (await Assert.ThrowsAsync<ReviewRefusedException>(() => Reviews.AddAsync(job, 1, ReviewVerdict.Accepted, null, "anna"))).Code);
        Assert.Equal("item_not_answered", (await Assert.ThrowsAsync<ReviewRefusedException>(() => Reviews.AddAsync(job, 7, ReviewVerdict.Rejected, null, "anna"))).Code);
        Assert.Equal("review_text_missing", (await Assert.ThrowsAsync<ReviewRefusedException>(() => Reviews.AddAsync(job, 0, ReviewVerdict.Edited, "  ", "anna"))).Code);
        await Assert.ThrowsAsync<JobNotFoundException>(() => Reviews.AddAsync(new(1), 0, ReviewVerdict.Rejected, null, "anna"));
        Assert.Equal(0, (await Reviews.CountsAsync(job)).Total);
    }

    [Fact]
    public async Task Filters_choose_and_compose()
    {
        var job = await AnsweredJobAsync(items: 20, failed: item => item % 5 == 0);
        await Reviews.AddAsync(job, 3, ReviewVerdict.Rejected, null, "anna");

        Assert.Equal([0, 5, 10, 15], await NumbersAsync(job, new() { Outcome = ItemOutcome.Failed }));
        Assert.Equal([10, 15], await NumbersAsync(job, new() { ErrorCode = "image_empty", After = new(5) }));
        Assert.Equal([1, 11, 12, 13, 14, 16, 17, 18, 19], await NumbersAsync(job, new() { Text = "ANSWER 1" }));
        Assert.Empty(await NumbersAsync(job, new() { Text = "answer_1" }));
        Assert.Equal([3], await NumbersAsync(job, new() { Verdict = ReviewVerdict.Rejected }));
        Assert.DoesNotContain(3, await NumbersAsync(job, new() { Unreviewed = true }));
        Assert.Equal(19, (await NumbersAsync(job, new() { Unreviewed = true })).Count);
    }

    [Fact]
    public async Task The_least_sure_come_first_and_pages_meet_without_gap_or_repetition()
    {
        var job = await AnsweredJobAsync(items: 25, failed: item => item == 4);
        List<GalleryItem> all = [];
        for (GalleryPosition? after = null; ;)
        {
            var page = await Gallery.PageAsync(job, new() { LeastSureFirst = true, After = after, Limit = 7 });
            if (page.Count == 0)
            {
                break;
            }

            all.AddRange(page);
            after = page[^1].Position;
        }

        Assert.Equal(25, all.Select(item => item.Item.ItemNo).Distinct().Count());
        Assert.Equal(25, all.Count);
        Assert.Equal(4, all[^1].Item.ItemNo);
        Assert.Equal(all.Select(item => item.Item.Result.Confidence ?? 2).Order(), all.Select(item => item.Item.Result.Confidence ?? 2));
    }

    [Fact]
    public async Task Two_jobs_are_compared_on_the_images_they_share()
    {
        var left = await AnsweredJobAsync(items: 6);
        var right = await AnsweredJobAsync(items: 6, failed: item => item == 5, text: item => item < 2 ? $"ANSWER {item} " : "else");
        var (one, other) = (await Jobs.ReadAsync(left), await Jobs.ReadAsync(right));
        var elsewhere = other with { Request = other.Request with { Source = other.Request.Source with { Path = "elsewhere" } } };
        var comparisons = Get<ComparisonReader>();

        foreach (var counterpart in new[] { other, elsewhere })
        {
            Assert.Equal(new AgreementCounts(6, 2), await comparisons.CountAsync(one, counterpart));
            Assert.Equal([0, 1], (await comparisons.PageAsync(one, counterpart, new() { Agreement = Agreement.Same })).Select(pair => pair.ItemNo));
            Assert.Equal([4, 5], (await comparisons.PageAsync(one, counterpart, new() { Agreement = Agreement.Different, After = 3 })).Select(pair => pair.ItemNo));
        }

        Assert.Equal("image_empty", (await comparisons.PageAsync(one, other, new() { After = 4 })).Single().Right.ErrorCode);
    }

    [Fact]
    public async Task A_page_is_full_although_images_in_between_have_changed()
    {
        var left = await AnsweredJobAsync(items: 8);
        var right = await AnsweredJobAsync(items: 8, image: item => item is >= 1 and <= 4 ? "another.jpg" : $"{item}.jpg");
        var (one, other) = (await Jobs.ReadAsync(left), await Jobs.ReadAsync(right));
        var comparisons = Get<ComparisonReader>();

        var first = await comparisons.PageAsync(one, other, new() { Limit = 2 });
        var second = await comparisons.PageAsync(one, other, new() { Limit = 2, After = first[^1].ItemNo });

        Assert.Equal([[0, 5], [6, 7]], new[] { first, second }.Select(page => page.Select(pair => pair.ItemNo)));
        Assert.Equal(new AgreementCounts(4, 4), await comparisons.CountAsync(one, other));
    }

    [Fact]
    public async Task Throughput_is_counted_by_span_and_times_are_means()
    {
        var job = await AnsweredJobAsync(items: 4);
        var from = Clock.GetUtcNow();
        Clock.Advance(TimeSpan.FromSeconds(20));
        var later = await AnsweredJobAsync(items: 2, failed: item => item == 1);

        var counts = await Get<ThroughputReader>().SinceAsync(from, TimeSpan.FromSeconds(10));
        var times = await Get<ThroughputReader>().TimesAsync(job);

        Assert.Equal([(job, 4L, 20L), (later, 1L, 0L), (later, 1L, 5L)], counts.Select(count => (count.Job, count.Items, count.Tokens)).Order());
        Assert.Equal(TimeSpan.FromMilliseconds(5), counts.Single(count => count is { Tokens: 5 }).InSlots);
        Assert.Equal(4, times.Items);
        Assert.Equal(TimeSpan.FromMilliseconds(3), times.Decode);
        // All four ran at once: prefill and decode are 5 ms of one device.
        Assert.Equal(TimeSpan.FromMilliseconds(5), times.Device);
        Assert.Equal(JobTimes.None, await Get<ThroughputReader>().TimesAsync(new(1)));
    }

    [Fact]
    public async Task What_failed_is_asked_again_in_a_job_of_its_own()
    {
        var job = await AnsweredJobAsync(items: 10, failed: item => item % 3 == 0);
        var request = (await Jobs.ReadAsync(job)).Request with { Prompt = "Look again." };

        var made = await Get<JobFollowUp>().CreateAsync(job, request, "image_empty", replacesPrompts: true);

        var record = await Jobs.ReadAsync(made);
        Assert.Equal((JobState.Queued, 4, "Look again."), (record.State, record.ItemCount, record.Request.Prompt));
        var claimed = (await Leases.ClaimAsync(made, 0, 0, "w"))!;
        Assert.Equal(["item-0", "item-3", "item-6", "item-9"], claimed.Items.Select(item => item.CustomId));
        Assert.Equal(6, (await Jobs.ProgressAsync(job)).Succeeded);
        await Assert.ThrowsAsync<NothingToAskException>(() => Get<JobFollowUp>().CreateAsync(job, request, "other", replacesPrompts: false));
        Assert.Equal(2, (await Jobs.ListAsync(new())).Count);
    }

    [Fact]
    public async Task Jobs_are_found_by_words_of_their_request_and_by_id()
    {
        var job = await QueueJobAsync(1, change: request => request with { Prompt = "How many \"cats\"? 100% äh_x", Model = "other" });
        await QueueJobAsync(1);

        Assert.Equal([job], await FoundAsync(new() { Text = "\"CATS\"? 100%" }));
        Assert.Equal([job], await FoundAsync(new() { Text = "äh_x" }));
        Assert.Empty(await FoundAsync(new() { Text = "cats_" }));
        Assert.Equal([job], await FoundAsync(new() { Text = job.ToString() }));
        Assert.Equal([job], await FoundAsync(new() { Model = "other" }));
        Assert.Equal(["other", Model], await Jobs.ModelsAsync(null));
        Assert.Equal(["default"], await Jobs.TenantsAsync());
    }

    private async Task<IEnumerable<JobId>> FoundAsync(JobFilter filter) => (await Jobs.ListAsync(filter)).Select(job => job.Id);

    private async Task<List<int>> NumbersAsync(JobId job, GalleryFilter filter) => [.. (await Gallery.PageAsync(job, filter)).Select(item => item.Item.ItemNo)];

    /// <summary>A job whose items are answered "answer n", ever surer in a scattered order, in one chunk.</summary>
    private async Task<JobId> AnsweredJobAsync(int items, Func<int, bool>? failed = null, Func<int, string>? text = null, Func<int, string>? image = null)
    {
        var (job, _) = await Submission.SubmitAsync(Request(items));
        ExpandedItem[] expanded = [.. Enumerable.Range(0, items).Select(number => image is null ? Item(number) : new(new($"item-{number}", [image(number)])))];
        Assert.True(await Expansion.AppendAsync(job, 0, [new(expanded, 100)], "end"));
        Assert.True(await Expansion.FinishAsync(job));
        var lease = (await ClaimAsync(job, 0))!;
        Assert.True(await Writer.CommitAsync(lease, [.. Enumerable.Range(0, items).Select(Finish)], completesChunk: true));
        return job;

        FinishedItem Finish(int item) => failed?.Invoke(item) == true
            ? FinishedItem.Failed(item, new("image_empty", "It is empty."))
            : Answer(item, text?.Invoke(item) ?? $"answer {item}") with { Confidence = item * 7 % 11 / 11.0 };
    }
}

public sealed class SqliteReviewTests() : ReviewTests(new SqliteFile());

public sealed class PostgresReviewTests() : ReviewTests(new PostgresTestDatabase());
