using Llava.Ledger.Chunks;
using Llava.Ledger.Workers;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>Machines whose clocks are an hour off, on one PostgreSQL: leases and heartbeats go by the server's clock.</summary>
public sealed class ClockSkewTests() : LedgerFixture(new PostgresTestDatabase())
{
    [Theory]
    [InlineData(-60)]
    [InlineData(60)]
    public async Task A_consumer_whose_clock_is_wrong_keeps_its_lease_as_long_as_others(int minutesOff)
    {
        var job = await QueueJobAsync(4);
        await using var right = OpenWith(TimeSpan.Zero);
        await using var wrong = OpenWith(TimeSpan.FromMinutes(minutesOff));
        var lease = (await wrong.GetRequiredService<ChunkLeases>().ClaimAsync(job, 0, 0, "wrong"))!.Lease;

        var early = await right.GetRequiredService<LeaseSweep>().SweepAsync();
        await using var later = OpenWith(TimeSpan.Zero, TimeSpan.FromMinutes(2));
        var late = await later.GetRequiredService<LeaseSweep>().SweepAsync();

        Assert.Equal((0, 1), (early.ExpiredLeases, late.ExpiredLeases));
        Assert.False(await wrong.GetRequiredService<Results.ResultWriter>().CommitAsync(lease, [Answer(0)], completesChunk: false));
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(60)]
    public async Task A_worker_whose_clock_is_wrong_counts_as_alive_as_long_as_others(int minutesOff)
    {
        await using var right = OpenWith(TimeSpan.Zero);
        await using var wrong = OpenWith(TimeSpan.FromMinutes(minutesOff));
        await wrong.GetRequiredService<WorkerRegistry>().HeartbeatAsync(new() { Id = "wrong", Host = "elsewhere", ProcessId = 1, ProcessStart = default, Models = [new(Model, "r1", 4)] });
        await using var later = OpenWith(TimeSpan.Zero, TimeSpan.FromMinutes(2));

        Assert.Single(await right.GetRequiredService<WorkerRegistry>().LiveAsync());
        Assert.Empty(await later.GetRequiredService<WorkerRegistry>().LiveAsync());
    }

    /// <summary>A process whose machine's clock is off from the start, and which then lives through some more time.</summary>
    private ServiceProvider OpenWith(TimeSpan off, TimeSpan passed = default)
    {
        ShiftedTime time = new() { Shift = off };
        var services = new ServiceCollection().AddSingleton<TimeProvider>(time).AddLlavaLedger(options => options.Configure(TestDatabase.Configure)).BuildServiceProvider();
        services.GetRequiredService<LedgerSetup>().PrepareAsync().GetAwaiter().GetResult();
        time.Shift += passed;
        return services;
    }

    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
