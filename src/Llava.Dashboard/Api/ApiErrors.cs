using System.Globalization;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Ledger;
using Llava.Ledger.Schedules;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Api;

/// <summary>Every answer of the API that is not what was asked for has the same form, whoever refuses: a rule, the router or the server itself.</summary>
internal static class ApiErrors
{
    private const string InvalidRequest = "invalid_request_error";

    public static void UseApiErrors(this IApplicationBuilder app) => app.UseWhen(
        context => context.Request.Path.StartsWithSegments(ApiHosting.Root, StringComparison.Ordinal),
        api => api.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Exception failure) when (!context.Response.HasStarted && Explain(failure) is { } explained)
            {
                await WriteAsync(context, explained.Status, explained.Body);
                return;
            }

            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null })
            {
                await WriteAsync(context, context.Response.StatusCode, Bare(context.Response.StatusCode));
            }
        }));

    public static Task WriteAsync(HttpContext context, int status, ErrorBody body)
    {
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status503ServiceUnavailable && context.Response.Headers.RetryAfter.Count == 0)
        {
            context.Response.Headers.RetryAfter = "5";
        }

        return context.Response.WriteAsJsonAsync(new ErrorDocument(body), RequestJson.Options, context.RequestAborted);
    }

    /// <summary>An answer to a request that one of our rules refuses.</summary>
    public static ErrorBody Refusal(string code, string message, string? param = null) => new(message, InvalidRequest, code, param);

    private static (int Status, ErrorBody Body)? Explain(Exception failure) => failure switch
    {
        ApiException refused => (refused.Status, new(refused.Message, TypeOf(refused.Status), refused.Code, refused.Param)),
        InvalidJobRequestException invalid => (StatusCodes.Status422UnprocessableEntity, Refusal(invalid.Code, invalid.Message, invalid.Findings[0].Field) with { Findings = invalid.Findings }),
        InvalidScheduleException invalid => (StatusCodes.Status422UnprocessableEntity, Refusal(invalid.Code, invalid.Message, invalid.Findings[0].Field) with { Findings = invalid.Findings }),
        ScheduleNotFoundException missing => (StatusCodes.Status404NotFound, Refusal(missing.Code, missing.Message)),
        JobNotFoundException missing => (StatusCodes.Status404NotFound, Refusal(missing.Code, missing.Message)),
        JobException conflict => (StatusCodes.Status409Conflict, Refusal(conflict.Code, conflict.Message)),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => (StatusCodes.Status413PayloadTooLarge, Bare(StatusCodes.Status413PayloadTooLarge)),
        BadHttpRequestException bad => (bad.StatusCode, Refusal("bad_request", bad.Message)),
        LedgerUnreachableException => (StatusCodes.Status503ServiceUnavailable, new("The ledger cannot be reached at the moment; ask again.", TypeOf(503), "ledger_unreachable", null)),
        _ => null,
    };

    private static ErrorBody Bare(int status) => status switch
    {
        StatusCodes.Status413PayloadTooLarge => Refusal("body_too_large", "The body is longer than is taken; list the items in a source file instead, or raise Llava:Api:MaxBodyBytes."),
        _ => new($"The request was answered with status {status.ToString(CultureInfo.InvariantCulture)}.", TypeOf(status), null, null),
    };

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status403Forbidden => "permission_denied",
        StatusCodes.Status429TooManyRequests => "requests",
        >= 500 => "server_error",
        _ => InvalidRequest,
    };
}
