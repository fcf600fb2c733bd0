using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;

namespace Llava.Dashboard.OpenAi;

/// <summary>What no route answers: an address that has none (404), or one that has other methods (405).</summary>
internal static class UnknownRoute
{
    public static IResult Refuse(HttpContext context, EndpointDataSource endpoints)
    {
        var (method, path) = (context.Request.Method, context.Request.Path);
        var methods = endpoints.Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is not null && IsAt(endpoint, path))
            .SelectMany(endpoint => endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods)
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ToList();
        if (methods.Count == 0)
        {
            throw OpenAiException.NotFound("unknown_url", $"There is no {method} {path} here; docs/openai.md lists what {OpenAiHosting.Root} has.");
        }

        var allowed = string.Join(", ", methods);
        context.Response.Headers.Allow = allowed;
        throw new OpenAiException(StatusCodes.Status405MethodNotAllowed, OpenAiErrors.InvalidRequest, "method_not_supported", null, $"{path} does not take {method}; send {allowed}.");
    }

    private static bool IsAt(RouteEndpoint endpoint, PathString path) =>
        new TemplateMatcher(new RouteTemplate(endpoint.RoutePattern), []).TryMatch(path, []);
}
