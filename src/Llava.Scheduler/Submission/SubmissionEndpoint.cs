using System.Net.Mime;
using Llava.Hosting.Transport;
using MassTransit;

namespace Llava.Scheduler.Submission;

/// <summary>
/// The queue of submitted jobs. A message may come in MassTransit's envelope or as the bare JSON of
/// <see cref="Contracts.Messages.SubmitJob"/>, which any AMQP client can write (docs/messages.md).
/// </summary>
internal sealed class SubmissionEndpoint : IReceiveEndpoints
{
    private const int ConcurrentSubmissions = 8;

    public void Configure(IBusFactoryConfigurator bus, IBusRegistrationContext context) =>
        bus.ReceiveEndpoint(SubmissionQueue.Name, endpoint =>
        {
            endpoint.UseWorkQueue(context);
            endpoint.PrefetchCount = ConcurrentSubmissions;
            endpoint.DefaultContentType = new ContentType(MediaTypeNames.Application.Json);
            endpoint.UseRawJsonDeserializer(RawSerializerOptions.AnyMessageType | RawSerializerOptions.AddTransportHeaders);
            endpoint.UseMessageRetry(retry =>
            {
                // Outlasts a restart of the database or the broker; a job that is wrong stays wrong.
                retry.Ignore<MalformedMessageException>();
                retry.Exponential(8, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(8), TimeSpan.FromMilliseconds(400));
            });
            endpoint.ConfigureConsumer<SubmitJobConsumer>(context);
        });
}
