using System.Diagnostics;
using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Runners;
using Llava.GpuConsumer.Telemetry;
using Llava.GpuConsumer.Training;
using Llava.Ledger.Results;
using Llava.ModelCore.Engine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Llava.GpuConsumer.Tests.Training;

/// <summary>Training waits between its steps for answers that somebody waits for, and for no others.</summary>
public sealed class YieldGateTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly Busy _engine = new();
    private readonly ModelPool _models;
    private readonly ConsumerMetrics _metrics;

    public YieldGateTests()
    {
        _models = new(_engine, new() { Models = ["busy"] }, budget: long.MaxValue, TimeProvider.System, NullLogger<ModelPool>.Instance);
        _metrics = new(_models);
    }

    public async Task InitializeAsync()
    {
        await _models.MeasureAsync();
        (await _models.UseAsync("busy")).Dispose();
    }

    public async Task DisposeAsync()
    {
        _metrics.Dispose();
        await _models.DisposeAsync();
    }

    [Fact]
    public void A_step_begins_at_once_beside_items_that_nobody_waits_for()
    {
        _engine.Statistics = new() { Running = 8, Waiting = 100 };

        Assert.Equal(TimeSpan.Zero, Gate(Long).Wait(CancellationToken.None));
    }

    [Fact]
    public async Task A_step_waits_until_urgent_answers_are_given()
    {
        _engine.Statistics = new() { Running = 1, Urgent = 1 };
        var waiting = Task.Run(() => Gate(Long).Wait(CancellationToken.None));
        await _engine.LookedAt(times: 3);
        Assert.False(waiting.IsCompleted);

        _engine.Statistics = new();

        Assert.InRange(await waiting, TimeSpan.FromMilliseconds(1), Long);
    }

    [Fact]
    public void A_step_waits_no_longer_than_is_allowed()
    {
        _engine.Statistics = new() { Urgent = 1 };

        Assert.InRange(Gate(TimeSpan.FromMilliseconds(60)).Wait(CancellationToken.None), TimeSpan.FromMilliseconds(60), TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, Gate(TimeSpan.Zero).Wait(CancellationToken.None));
    }

    [Fact]
    public void A_run_that_is_to_stop_waits_no_more()
    {
        _engine.Statistics = new() { Urgent = 1 };
        var since = Stopwatch.GetTimestamp();

        Gate(Long).Wait(new CancellationToken(canceled: true));

        Assert.True(Stopwatch.GetElapsedTime(since) < Long / 2);
    }

    private YieldGate Gate(TimeSpan longest) => new(_models, _metrics, new() { LongestYield = longest }, TimeProvider.System);

    /// <summary>An engine whose statistics are the test's.</summary>
    private sealed class Busy : IItemRunner, IItemRunnerFactory
    {
        private readonly SemaphoreSlim _looks = new(0);
        private volatile EngineStatistics _statistics = new();

        public string Model => "busy";

        public string Revision => "r1";

        public int Slots => 8;

        public EngineStatistics Statistics
        {
            get
            {
                _looks.Release();
                return _statistics;
            }
            set => _statistics = value;
        }

        public async Task LookedAt(int times)
        {
            for (var look = 0; look < times; look++)
            {
                Assert.True(await _looks.WaitAsync(TimeSpan.FromMinutes(1)));
            }
        }

        public Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation) => throw new InvalidOperationException("Nobody asks it anything.");

        public ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation) => ValueTask.FromResult<IItemRunner>(this);
    }
}
