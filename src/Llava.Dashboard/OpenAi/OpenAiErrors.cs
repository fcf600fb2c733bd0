using System.Globalization;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Dashboard.Api;
using Llava.Ledger;
using Llava.Ledger.Files;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.OpenAi;

/// <summary>Every answer of the OpenAI-compatible API has an id, and every one that is not what was asked for OpenAI's four words, whoever refuses.</summary>
internal static partial class OpenAiErrors
{
    /// <summary>The kind of error of whatever breaks a rule.</summary>
    public const string InvalidRequest = OpenAiException.InvalidRequest;

    /// <summary>The kind of error of whatever is the server's fault.</summary>
    public const string ServerError = "server_error";

    private const string RequestIdHeader = "x-request-id";

    /// <summary>The id under which this request is logged and answered.</summary>
    public static string RequestIdOf(HttpContext context) => context.Response.Headers[RequestIdHeader].ToString();

    public static void UseOpenAiErrors(this IApplicationBuilder app)
    {
        var logger = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(OpenAiErrors));
        app.UseWhen(
            context => context.Request.Path.StartsWithSegments(OpenAiHosting.Root, StringComparison.Ordinal),
            api => api.Use((context, next) => AnswerAsync(context, next, logger)));
    }

    /// <summary>The status and words of an answer, for whoever answers in a stream or a file.</summary>
    public static (int Status, ErrorBody Body) Explain(Exception failure) => failure switch
    {
        OpenAiException refused => (refused.Status, new(refused.Message, refused.ErrorType, refused.Code, refused.Param)),
        ApiException refused => (refused.Status is StatusCodes.Status409Conflict or StatusCodes.Status422UnprocessableEntity ? StatusCodes.Status400BadRequest : refused.Status, new(
            refused.Message, refused.Status == StatusCodes.Status403Forbidden ? "permission_denied" : InvalidRequest, refused.Code, refused.Param)),
        FileRefusedException { Code: FileRefusedException.TooLarge } refused => (StatusCodes.Status413PayloadTooLarge, new(refused.Message, InvalidRequest, refused.Code, refused.Field)),
        FileRefusedException refused => (StatusCodes.Status400BadRequest, new(refused.Message, InvalidRequest, refused.Code, refused.Field)),
        InvalidJobRequestException invalid => (StatusCodes.Status400BadRequest, new(invalid.Message, InvalidRequest, invalid.Code, invalid.Findings[0].Field)),
        JobNotFoundException missing => (StatusCodes.Status404NotFound, new(missing.Message, InvalidRequest, missing.Code, null)),
        JobException conflict => (StatusCodes.Status400BadRequest, new(conflict.Message, InvalidRequest, conflict.Code, null)),
        TrainingRunNotFoundException missing => (StatusCodes.Status404NotFound, new(missing.Message, InvalidRequest, missing.Code, "fine_tuning_job_id")),
        InvalidTrainingRequestException invalid => (StatusCodes.Status400BadRequest, new(invalid.Message, InvalidRequest, invalid.Code, invalid.Findings[0].Field)),
        TrainingRunException conflict => (StatusCodes.Status400BadRequest, new(conflict.Message, InvalidRequest, conflict.Code, null)),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => (StatusCodes.Status413PayloadTooLarge, new(
            "The body is longer than is taken; send large files in parts to /v1/uploads, or raise the limit (docs/openai.md).", InvalidRequest, "body_too_large", null)),
        BadHttpRequestException bad => (bad.StatusCode, new(bad.Message, InvalidRequest, "bad_request", null)),
        LedgerUnreachableException => (StatusCodes.Status503ServiceUnavailable, new("The ledger cannot be reached at the moment; ask again.", ServerError, "ledger_unreachable", null)),
        _ => (StatusCodes.Status500InternalServerError, new("The server failed at this request; its log has the reason under the request's id.", ServerError, null, null)),
    };

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        context.Response.Headers[RequestIdHeader] = "req_" + Guid.NewGuid().ToString("N");
        try
        {
            await next(context);
        }
        catch (Exception failure) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var (status, body) = Explain(failure);
            if (status == StatusCodes.Status500InternalServerError)
            {
                Failed(logger, RequestIdOf(context), failure);
            }

            if (failure is OpenAiException { RetryAfter: { } wait })
            {
                context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
                context.Response.Headers["retry-after-ms"] = ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
            }

            await ApiErrors.WriteAsync(context, status, body);
            return;
        }

        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null } response)
        {
            await ApiErrors.WriteAsync(context, response.StatusCode, Bare(response.StatusCode));
        }
    }

    private static ErrorBody Bare(int status) => new(
        $"The request was answered with status {status.ToString(CultureInfo.InvariantCulture)}.", status >= 500 ? ServerError : InvalidRequest, null, null);

    [LoggerMessage(5001, LogLevel.Error, "Request {Request} failed")]
    private static partial void Failed(ILogger logger, string request, Exception failure);
}
