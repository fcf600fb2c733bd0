using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Ledger.Signals;
using MassTransit;

namespace Llava.GpuConsumer.Training;

/// <summary>Wakes the worker and returns, which is the acknowledgement: training takes longer than any broker waits.</summary>
internal sealed class TrainStageConsumer(ILedgerSignal signal) : IConsumer<TrainStage>
{
    public Task Consume(ConsumeContext<TrainStage> context)
    {
        signal.Ring(LedgerTopic.TrainingChanged);
        return Task.CompletedTask;
    }
}

/// <summary>The queue of those messages, in a process that trains.</summary>
internal sealed class TrainingEndpoint : IReceiveEndpoints
{
    public void Configure(IBusFactoryConfigurator bus, IBusRegistrationContext context) => bus.ReceiveEndpoint(TrainingQueue.Name, endpoint =>
    {
        endpoint.UseWorkQueue(context);
        endpoint.ConfigureConsumer<TrainStageConsumer>(context);
    });
}
