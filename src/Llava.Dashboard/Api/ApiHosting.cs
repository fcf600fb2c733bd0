using System.Globalization;
using System.Threading.RateLimiting;
using Llava.Contracts.Documents;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.OpenAi;
using Llava.Dashboard.Reviews;
using Llava.Dashboard.Schedules;
using Llava.Dashboard.Security;
using Llava.Dashboard.Webhooks;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Api;

/// <summary>Puts <c>/api/v1</c> into the dashboard's host.</summary>
internal static class ApiHosting
{
    /// <summary>Where the API is.</summary>
    public const string Root = "/api/v1";

    /// <summary>Name of the rate limit that counts the requests of each caller.</summary>
    public const string PerCaller = "api";

    public static void AddLlavaApi(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<ApiOptions>, ApiOptionsRanges>();
        services.AddOptions<ApiOptions>().BindConfiguration(ApiOptions.SectionName).ValidateOnStart();
        services.AddSingleton<JobDocuments>();
        services.AddSingleton<ScheduleDocuments>();
        services.AddApiAccess();
        services.AddRateLimiter(limiter =>
        {
            limiter.AddPolicy(PerCaller, context => RateLimitPartition.GetTokenBucketLimiter(
                Caller.Of(context.User).Id,
                _ => Bucket(context.RequestServices.GetRequiredService<IOptions<ApiOptions>>().Value)));
            limiter.AddPolicy(SignInLimit.Name, SignInLimit.Of);
            limiter.OnRejected = (rejected, _) => new(RefuseAsync(rejected));
        });
    }

    /// <summary>Maps the API. Authentication, authorization and the rate limiter stand before it, <see cref="ApiErrors.UseApiErrors"/> before them.</summary>
    public static void MapLlavaApi(this WebApplication app)
    {
        var limits = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value;
        var api = app.MapGroup(Root)
            .AddEndpointFilter(ApiAccess.RequireTokenBesideCookieAsync)
            .RequireRateLimiting(PerCaller)
            .WithMetadata(new RequestSizeLimitAttribute(limits.MaxBodyBytes));
        api.MapSubmission();
        api.MapEstimate();
        api.MapReading();
        api.MapResults();
        api.MapExportApi();
        api.MapReviews();
        api.MapControl();
        api.MapParts();
        api.MapWorkers();
        api.MapSchedules();
        api.MapWebhooks();
        api.MapAudit();
        // Without this, whoever mistypes an address would be led to the pages' login.
        api.Map("/{**path}", NothingHere).RequireRole(AccessRole.Viewer).ExcludeFromDescription();
    }

    private static IResult NothingHere(HttpRequest request) => throw new ApiException(
        StatusCodes.Status404NotFound, "not_found", $"There is no {request.Method} {request.Path} here; docs/api.md lists what {Root} has.");

    private static TokenBucketRateLimiterOptions Bucket(ApiOptions options) => new()
    {
        TokenLimit = options.Burst,
        TokensPerPeriod = options.RequestsPerSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
    };

    private static Task RefuseAsync(OnRejectedContext rejected)
    {
        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var told) ? told : TimeSpan.FromSeconds(1);
        var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        var response = rejected.HttpContext.Response;
        response.Headers.RetryAfter = seconds;
        response.StatusCode = StatusCodes.Status429TooManyRequests;
        var path = rejected.HttpContext.Request.Path;
        return path.StartsWithSegments(Root, StringComparison.Ordinal) || path.StartsWithSegments(OpenAiHosting.Root, StringComparison.Ordinal)
            ? ApiErrors.WriteAsync(rejected.HttpContext, response.StatusCode, new ErrorBody(
                $"This key sends more requests than it may; wait {seconds} s and go slower.", "requests", "rate_limit_exceeded", null))
            : response.WriteAsync($"Too many attempts from this machine; wait {seconds} s.\n", rejected.HttpContext.RequestAborted);
    }
}
