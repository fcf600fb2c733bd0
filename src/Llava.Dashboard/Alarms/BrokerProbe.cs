using System.Diagnostics;
using System.Net.Sockets;
using Llava.Hosting.Transport;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Alarms;

/// <summary>
/// Whether the broker takes connections. A process that receives nothing, as a dashboard, is told by MassTransit's own check
/// that all is well with a broker that is gone.
/// </summary>
internal sealed class BrokerProbe(IOptions<TransportOptions> transport)
{
    /// <summary>The broker's part; null where messages stay in this process.</summary>
    public async Task<SystemPart?> LookAsync(TimeSpan patience, CancellationToken cancellation)
    {
        if (transport.Value is not { Kind: TransportKind.RabbitMq, RabbitMq: var broker })
        {
            return null;
        }

        var started = Stopwatch.GetTimestamp();
        using TcpClient client = new();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        var answers = true;
        try
        {
            await client.ConnectAsync(broker.Host, broker.Port, limit.Token);
        }
        catch (Exception away) when (away is SocketException || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            answers = false;
        }

        return new(SystemPart.Broker, answers, Stopwatch.GetElapsedTime(started));
    }
}
