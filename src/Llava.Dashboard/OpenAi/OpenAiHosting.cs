using Llava.Dashboard.Api;
using Llava.Dashboard.OpenAi.Batches;
using Llava.Dashboard.OpenAi.Chat;
using Llava.Dashboard.OpenAi.Files;
using Llava.Dashboard.OpenAi.FineTuning;
using Llava.Dashboard.OpenAi.Models;
using Llava.Dashboard.OpenAi.Uploads;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.OpenAi;

/// <summary>
/// Puts the OpenAI-compatible API under <c>/v1</c> into the dashboard's host: the same keys, roles, tenants and rate limits as
/// <c>/api/v1</c>, in the words of OpenAI's libraries (docs/openai.md).
/// </summary>
internal static class OpenAiHosting
{
    /// <summary>Where the API is.</summary>
    public const string Root = "/v1";

    public static void AddLlavaOpenAi(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<OpenAiOptions>, OpenAiOptionsRanges>();
        services.AddOptions<OpenAiOptions>().BindConfiguration(OpenAiOptions.SectionName).ValidateOnStart();
        services.AddSingleton<OpenAiBody>();
        services.AddSingleton<FileForm>();
        services.AddSingleton<BatchRequests>();
        services.AddSingleton<BatchViews>();
        services.AddLlavaChat();
        services.AddLlavaFiles(options => options.BindConfiguration(FileStoreOptions.SectionName));
    }

    /// <summary>Maps the API. Authentication, authorization and the rate limiter stand before it, <see cref="OpenAiErrors.UseOpenAiErrors"/> before them.</summary>
    public static void MapLlavaOpenAi(this WebApplication app)
    {
        var api = app.MapGroup(Root)
            .AddEndpointFilter(ApiAccess.RequireTokenBesideCookieAsync)
            .RequireRateLimiting(ApiHosting.PerCaller)
            .WithMetadata(new RequestSizeLimitAttribute(app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.MaxBodyBytes));
        api.MapFiles(app.Services.GetRequiredService<FileStoreOptions>());
        api.MapUploads(app.Services.GetRequiredService<FileStoreOptions>());
        api.MapBatches();
        api.MapModels();
        api.MapFineTuning();
        api.MapLlavaChat(app.Services.GetRequiredService<ChatInputOptions>());
        // Without this, whoever mistypes an address would be led to the pages' login.
        api.Map("/{**path}", UnknownRoute.Refuse).RequireRole(AccessRole.Viewer).ExcludeFromDescription();
    }
}
