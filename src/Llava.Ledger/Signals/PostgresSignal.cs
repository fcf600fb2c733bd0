using System.Threading.Channels;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Llava.Ledger.Signals;

/// <summary>
/// The doorbell of all processes on one PostgreSQL database: rings are heard here at once and by the others through
/// NOTIFY. One connection listens, from the first listener on; while it is away rings are missed, so its return is one.
/// </summary>
internal sealed partial class PostgresSignal : ILedgerSignal, IAsyncDisposable
{
    private const int NoTimeout = 0;

    // Chunks of a fast model ring by the thousand in a second: those of a moment become one message.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LastRings = TimeSpan.FromSeconds(2);

    private readonly PostgresDatabase _database;
    private readonly InProcessSignal _local;
    private readonly ILogger<PostgresSignal> _logger;
    private readonly string _self = $"{Guid.NewGuid():n}:";
    private readonly Channel<LedgerTopic> _rings = Channel.CreateUnbounded<LedgerTopic>(new() { SingleReader = true });
    private readonly CancellationTokenSource _ended = new();
    private readonly Lazy<Task> _sending;
    private readonly Lazy<Task> _listening;

    public PostgresSignal(PostgresDatabase database, TimeProvider time, ILogger<PostgresSignal> logger)
    {
        _database = database;
        _local = new(time);
        _logger = logger;
        _sending = new(() => Task.Run(SendLoopAsync));
        _listening = new(() => Task.Run(ListenLoopAsync));
    }

    public void Ring(LedgerTopic topic)
    {
        _local.Ring(topic);
        _rings.Writer.TryWrite(topic);
        _ = _sending.Value;
    }

    public ILedgerListener Listen(params IReadOnlyList<LedgerTopic> topics)
    {
        var listener = _local.Listen(topics);
        _ = _listening.Value;
        return listener;
    }

    /// <summary>Sends what rang to the end, as far as that is quickly done, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _rings.Writer.TryComplete();
        _ended.CancelAfter(_sending.IsValueCreated ? LastRings : TimeSpan.Zero);
        if (_sending.IsValueCreated)
        {
            await _sending.Value;
        }

        await _ended.CancelAsync();
        if (_listening.IsValueCreated)
        {
            await _listening.Value;
        }

        _ended.Dispose();
    }

    private async Task SendLoopAsync()
    {
        HashSet<LedgerTopic> topics = [];
        while (await _rings.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (_rings.Reader.TryRead(out var topic))
            {
                topics.Add(topic);
            }

            try
            {
                await using LedgerSession session = new(await _database.Source.OpenConnectionAsync(_ended.Token), _database.Sql);
                await session.Statement("notify").Set("@rings", topics.Select(topic => _self + topic).ToArray()).ExecuteAsync(_ended.Token);
            }
            catch (Exception failure)
            {
                // The others find by their poll what they did not hear.
                RingsLost(topics.Count, PostgresFaults.Reason(failure));
            }

            topics.Clear();
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task ListenLoopAsync()
    {
        for (var tries = 0; !_ended.IsCancellationRequested; tries++)
        {
            try
            {
                await using NpgsqlConnection connection = new(_database.Address.WithoutPool(NoTimeout));
                connection.Notification += (_, ring) => Hear(ring.Payload);
                await connection.OpenAsync(_ended.Token);
                await using LedgerSession session = new(connection, _database.Sql);
                await session.Statement("listen").ExecuteAsync(_ended.Token);
                tries = 0;
                RingAll();
                while (true)
                {
                    await connection.WaitAsync(_ended.Token);
                }
            }
            catch (Exception failure)
            {
                if (!_ended.IsCancellationRequested)
                {
                    ListeningInterrupted(PostgresFaults.Reason(failure));
                    await Task.WhenAny(Task.Delay(PostgresFaults.PauseAfter(tries), _ended.Token));
                }
            }
        }
    }

    private void RingAll()
    {
        foreach (var missed in Enum.GetValues<LedgerTopic>())
        {
            _local.Ring(missed);
        }
    }

    private void Hear(string ring)
    {
        // A topic that a newer version rings is none of ours.
        if (!ring.StartsWith(_self, StringComparison.Ordinal) && Enum.TryParse<LedgerTopic>(ring[(ring.IndexOf(':', StringComparison.Ordinal) + 1)..], out var topic))
        {
            _local.Ring(topic);
        }
    }

    [LoggerMessage(2031, LogLevel.Debug, "{Topics} rings did not reach other processes ({Reason}); they find the change by looking")]
    private partial void RingsLost(int topics, string reason);

    [LoggerMessage(2032, LogLevel.Warning, "Listening for other processes' changes was interrupted ({Reason}); they are found by looking until it is back")]
    private partial void ListeningInterrupted(string reason);
}
