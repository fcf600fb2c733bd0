using Llava.Contracts.Requests;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client.Exceptions;

namespace Llava.DistributedTests;

/// <summary>The users of compose/rabbitmq/users.sh can do their work, bad messages included, and nothing else.</summary>
[Collection(BrokerCollection.Name)]
public sealed class LeastPrivilegeTests(BrokerFixture servers)
{
    private const string Accepted = "Llava.Contracts.Messages:JobAccepted";

    [Fact]
    public async Task Each_user_can_do_its_work()
    {
        await using var service = await Service.StartAsLeastPrivilegedAsync(servers.Broker);
        var chunks = ChunkQueue.NameFor(NullItemRunner.ModelName);
        await using (var vandal = await ForeignProducer.ConnectAsync(service.Broker))
        {
            await vandal.SendAsync(chunks, "{not json");
            await vandal.SendAsync(SubmissionQueue.Name, "{not json");
        }

        var job = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(service.Request(20))).Id;
        await service.AssertAnsweredAsync(job, 20);

        await service.Broker.WaitForCountAsync($"{chunks}_error", 1);
        await service.Broker.WaitForCountAsync($"{SubmissionQueue.Name}_error", 1);
        Assert.Equal("quorum", await service.Broker.TypeAsync(chunks));
        Assert.Equal("quorum", await service.Broker.TypeAsync(SubmissionQueue.Name));
    }

    [Fact]
    public async Task A_producer_can_submit_and_listen_but_not_touch_chunks()
    {
        await using var service = await Service.StartAsLeastPrivilegedAsync(servers.Broker);
        await using (var producer = await ForeignProducer.ConnectAsync(service.Broker, "producer", Service.Password))
        {
            await producer.SendAsync(SubmissionQueue.Name, $$"""{"request":{{RequestJson.Write(service.Request(4, "one"))}}}""");
            await using var observer = await ForeignProducer.ConnectAsync(service.Broker);
            var accepted = await observer.ListenAsync(Accepted);
            await producer.SendAsync(SubmissionQueue.Name, $$"""{"request":{{RequestJson.Write(service.Request(5, "two"))}}}""");
            await observer.ReceiveAsync(accepted);

            var heard = await producer.ListenAsync(Accepted, declares: false);
            await producer.SendAsync(SubmissionQueue.Name, $$"""{"request":{{RequestJson.Write(service.Request(6, "three"))}}}""");
            await producer.ReceiveAsync(heard);
        }

        await using var intruder = await ForeignProducer.ConnectAsync(service.Broker, "producer", Service.Password);
        await Assert.ThrowsAnyAsync<RabbitMQClientException>(() => intruder.SendAsync(ChunkQueue.NameFor(NullItemRunner.ModelName), "{}"));
    }
}
