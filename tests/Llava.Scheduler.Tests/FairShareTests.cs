using Llava.Contracts;
using Llava.Ledger.Chunks;
using Llava.Ledger.Workers;
using Llava.Scheduler.Dispatch;

namespace Llava.Scheduler.Tests;

public sealed class FairShareTests
{
    [Fact]
    public void Jobs_of_one_tenant_take_turns() => Assert.Equal("121212", Serve(6, Job(1), Job(2)));

    [Fact]
    public void Tenants_share_evenly_however_many_jobs_each_has() =>
        Assert.Equal((4, 4), CountOf(Serve(8, Job(1), Job(2), Job(3), Job(4, "other")), "4"));

    [Fact]
    public void A_higher_priority_goes_first_until_it_has_nothing_left() =>
        Assert.Equal("222111", Serve(6, Job(1), Job(2, priority: 1, chunks: 3)));

    [Fact]
    public void Shares_are_measured_in_tokens_and_not_in_chunks() =>
        Assert.Equal((8, 2), CountOf(Serve(10, Job(1, tokens: 100), Job(2, tokens: 400)), "2"));

    [Fact]
    public void What_is_outstanding_counts() =>
        Assert.Equal("22212", Serve(5, Job(1, outstanding: 250), Job(2)));

    [Fact]
    public void With_a_window_of_one_chunk_jobs_still_take_turns()
    {
        FairShare fairShare = new();
        var served = "";
        for (var round = 0; round < 6; round++)
        {
            served += Serve(fairShare, 1, [Job(1), Job(2), Job(3)]);
        }

        Assert.Equal("123123", served);
    }

    [Fact]
    public void When_nothing_waits_nobody_is_served() => Assert.Equal("", Serve(3, Job(1, chunks: 0)));

    [Fact]
    public void The_window_follows_the_slots_of_those_who_take_work()
    {
        WorkerRecord worker = new() { Id = "w", Host = "h", ProcessId = 1, ProcessStartedAt = default, Models = [new("a", "1", 32), new("b", "1", 8)] };

        var windows = Window.Of([worker, worker with { Id = "v", Models = [new("a", "1", 64)] }, worker with { Id = "d", Draining = true }], chunkItems: 32);

        Assert.Equal(new Dictionary<string, Window> { ["a"] = new(64 + 64 + 128 + 64, 32 + 64 + 64 + 64), ["b"] = new(16 + 64, 8 + 64) }, windows);
    }

    private static (int Others, int Mine) CountOf(string served, string mine) => (served.Replace(mine, "", StringComparison.Ordinal).Length, served.Split(mine).Length - 1);

    private static TestJob Job(int id, string tenant = "t", int priority = 0, long tokens = 100, long outstanding = 0, int chunks = 100) =>
        new(new(new JobId(id), tenant, priority) { OutstandingTokens = outstanding }, tokens, chunks);

    private static string Serve(int count, params TestJob[] jobs) => Serve(new FairShare(), count, jobs);

    private static string Serve(FairShare fairShare, int count, TestJob[] jobs)
    {
        var shares = fairShare.Begin(jobs.Select(job => job.Job));
        foreach (var (share, job) in shares.Zip(jobs))
        {
            share.Waiting = new(Enumerable.Range(0, job.Chunks).Select(chunk => new WaitingChunk(job.Job.Id, chunk, 0, 0, 1, job.Tokens)));
        }

        var served = "";
        while (served.Length < count && fairShare.Next(shares, _ => true) is { } next)
        {
            fairShare.Serve(next, next.Waiting!.Dequeue());
            served += next.Job.Id.Value;
        }

        return served;
    }

    private sealed record TestJob(DispatchableJob Job, long Tokens, int Chunks);
}
