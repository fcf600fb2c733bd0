using Llava.Hosting.Transport;
using MassTransit;

namespace Llava.GpuConsumer.Chunks;

/// <summary>How many chunks run at the same time, and how long failing infrastructure is waited for.</summary>
internal sealed class RunChunkConsumerDefinition : ConsumerDefinition<RunChunkConsumer>
{
    private readonly ConsumerOptions _options;

    public RunChunkConsumerDefinition(ConsumerOptions options)
    {
        _options = options;
        ConcurrentMessageLimit = options.ConcurrentChunks;
    }

    protected override void ConfigureConsumer(IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<RunChunkConsumer> consumerConfigurator, IRegistrationContext context)
    {
        if (_options.Retries > 0)
        {
            endpointConfigurator.UseMessageRetry(retry =>
            {
                retry.Ignore<MalformedMessageException>();
                retry.Exponential(_options.Retries, _options.FirstPause, _options.LongestPause, 2 * _options.FirstPause);
            });
        }
    }
}
