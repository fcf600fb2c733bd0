using Llava.Contracts;
using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Ledger.Audit;
using Llava.Ledger.Jobs;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Submission;

/// <summary>Takes jobs in from the broker and says what became of each.</summary>
internal sealed partial class SubmitJobConsumer(JobSubmission submission, MessageSender sender, ILogger<SubmitJobConsumer> logger) : IConsumer<SubmitJob>
{
    public async Task Consume(ConsumeContext<SubmitJob> context)
    {
        var request = context.Message.Request ?? throw new MalformedMessageException("SubmitJob has no 'request'; give one as docs/messages.md shows.");
        new Actor("message").Act();
        try
        {
            var submitted = await submission.SubmitAsync(request, context.CancellationToken);
            await sender.PublishAsync(new JobAccepted(submitted.Id, request.Tenant, request.IdempotencyKey), context.CancellationToken);
        }
        catch (JobException refusal)
        {
            JobRefused(request.IdempotencyKey, refusal.Code, refusal.Message);
            var findings = (refusal as InvalidJobRequestException)?.Findings ?? [];
            await sender.PublishAsync(new JobRefused(request.Tenant, request.IdempotencyKey, refusal.Code, refusal.Message, findings), context.CancellationToken);
        }
    }

    [LoggerMessage(4040, LogLevel.Warning, "A job submitted with key '{Key}' is refused with {Code}: {Reason}")]
    private partial void JobRefused(string? key, string code, string reason);
}
