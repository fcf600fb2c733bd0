using Llava.Contracts.Interactive;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Interactive;

/// <summary>What went wrong with an interactive request, in words for whoever asked.</summary>
internal static partial class Failures
{
    /// <summary>Does something, and explains what it throws; what is our own fault is logged, as the answer does not say it.</summary>
    public static async Task<T> ExplainAsync<T>(Func<Task<T>> action, string request, ILogger logger, CancellationToken cancellation)
    {
        try
        {
            return await action();
        }
        catch (Exception failure) when (failure is not InteractiveException && !(failure is OperationCanceledException && cancellation.IsCancellationRequested))
        {
            var error = Describe(failure);
            if (error.Kind == InteractiveFailure.Broken)
            {
                Broke(logger, request, failure);
            }

            throw new InteractiveException(error, failure);
        }
    }

    /// <summary>This process takes no more work.</summary>
    public static InteractiveException Ending() => new(new(InteractiveFailure.Unavailable, "shutting_down", "The consumer that was asked is ending; ask again.", null, 1));

    private static InteractiveError Describe(Exception failure) => failure switch
    {
        ImageException { Code: "image_too_large" } image => new(InteractiveFailure.Refused, "image_too_large", image.Message, "messages"),
        ImageException image => new(InteractiveFailure.Refused, "invalid_image", image.Message, "messages"),
        RequestRefusedException { Code: "prompt_too_long" } tooLong => new(InteractiveFailure.Refused, "context_length_exceeded", tooLong.Message, "messages"),
        RequestRefusedException { Code: "invalid_choices" } choices => new(InteractiveFailure.Refused, choices.Code, choices.Message, "structured_outputs"),
        GrammarException grammar => new(InteractiveFailure.Refused, grammar.Code, grammar.Message, grammar.Code == "invalid_regex" ? "structured_outputs" : "response_format"),
        RequestRefusedException refused => new(InteractiveFailure.Refused, refused.Code, refused.Message, "messages"),
        PromptException prompt => new(InteractiveFailure.Refused, "invalid_messages", prompt.Message, "messages"),
        EngineBusyException => new(InteractiveFailure.Busy, "rate_limit_exceeded", "Too many requests wait for the model already; ask again in a moment.", null, 1),
        EngineStoppedException or OperationCanceledException => Ending().Error,
        SequenceFailedException failed => new(InteractiveFailure.Broken, "generation_failed", failed.Message),
        _ => new(InteractiveFailure.Broken, "internal_error", "The consumer failed on this request; its log has the cause under the request's id."),
    };

    [LoggerMessage(3043, LogLevel.Error, "Interactive request {Request} failed")]
    private static partial void Broke(ILogger logger, string request, Exception failure);
}
