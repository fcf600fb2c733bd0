using System.Security.Claims;
using Llava.Dashboard.OpenAi;
using Llava.Ledger.Audit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Security;

/// <summary>Says to the audit log who acts in a request. Authentication stands before it.</summary>
internal static class ActingCaller
{
    public static void UseActingCaller(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        Of(context).Act();
        return next(context);
    });

    /// <summary>Who sent the request.</summary>
    public static Actor Of(HttpContext context)
    {
        var user = context.User;
        var name = user.FindFirstValue(ClaimTypes.NameIdentifier) is { } key ? $"key:{key}" : user.Identity?.IsAuthenticated == true ? "link" : "stranger";
        return new(name, OpenAiErrors.RequestIdOf(context) is { Length: > 0 } id ? id : context.TraceIdentifier);
    }
}
