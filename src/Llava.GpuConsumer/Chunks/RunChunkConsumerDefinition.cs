using Llava.Hosting.Transport;
using MassTransit;

namespace Llava.GpuConsumer.Chunks;

/// <summary>How long failing infrastructure is waited for.</summary>
internal sealed class RunChunkConsumerDefinition(ConsumerOptions options) : ConsumerDefinition<RunChunkConsumer>
{
    protected override void ConfigureConsumer(IReceiveEndpointConfigurator endpointConfigurator, IConsumerConfigurator<RunChunkConsumer> consumerConfigurator, IRegistrationContext context)
    {
        if (options.Retries > 0)
        {
            endpointConfigurator.UseMessageRetry(retry =>
            {
                retry.Ignore<MalformedMessageException>();
                retry.Exponential(options.Retries, options.FirstPause, options.LongestPause, 2 * options.FirstPause);
            });
        }
    }
}
