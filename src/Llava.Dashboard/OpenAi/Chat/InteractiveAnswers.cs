using Llava.Contracts.Interactive;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>Failures of interactive requests in OpenAI's words.</summary>
internal static class InteractiveAnswers
{
    /// <summary>The answer to a request that came to nothing.</summary>
    public static OpenAiException ToOpenAi(this InteractiveException failure)
    {
        var error = failure.Error;
        var (status, type) = error.Kind switch
        {
            InteractiveFailure.Refused => (StatusCodes.Status400BadRequest, OpenAiErrors.InvalidRequest),
            InteractiveFailure.ModelNotFound => (StatusCodes.Status404NotFound, OpenAiErrors.InvalidRequest),
            InteractiveFailure.Busy => (StatusCodes.Status429TooManyRequests, "requests"),
            InteractiveFailure.Unavailable => (StatusCodes.Status503ServiceUnavailable, OpenAiErrors.ServerError),
            _ => (StatusCodes.Status500InternalServerError, OpenAiErrors.ServerError),
        };
        return new(status, type, error.Code, error.Param, error.Message) { RetryAfter = error.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
    }

    /// <summary>Asks, and says in OpenAI's words why nothing came of it.</summary>
    /// <exception cref="OpenAiException">It came to nothing.</exception>
    public static async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (InteractiveException failure)
        {
            throw failure.ToOpenAi();
        }
    }
}
