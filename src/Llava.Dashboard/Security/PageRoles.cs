using System.Reflection;
using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;

namespace Llava.Dashboard.Security;

/// <summary>
/// What reading a page and sending its forms takes. A page that says nothing is for viewers, and its forms are for operators: whoever
/// forgets to say something lets nobody do too much.
/// </summary>
/// <param name="read">Who may read the page.</param>
/// <param name="act">Who may send its forms.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PageRolesAttribute(AccessRole read, AccessRole act) : Attribute
{
    private static readonly PageRolesAttribute Default = new(AccessRole.Viewer, AccessRole.Operator);

    /// <summary>Who may read the page.</summary>
    public AccessRole Read { get; } = read;

    /// <summary>Who may send its forms.</summary>
    public AccessRole Act { get; } = act;

    /// <summary>What a page asks for.</summary>
    internal static PageRolesAttribute Of(MemberInfo? page) => page?.GetCustomAttribute<PageRolesAttribute>() ?? Default;
}

/// <summary>Refuses pages and forms to whoever has not the role.</summary>
internal sealed class PageRoleFilter : IAsyncPageFilter
{
    public Task OnPageHandlerSelectionAsync(PageHandlerSelectedContext context) => Task.CompletedTask;

    public Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        var roles = PageRolesAttribute.Of(context.ActionDescriptor.ModelTypeInfo);
        var method = context.HttpContext.Request.Method;
        var needed = HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? roles.Read : roles.Act;
        if (context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<Microsoft.AspNetCore.Authorization.IAllowAnonymous>() is null && !(Caller.Of(context.HttpContext.User).Role >= needed))
        {
            context.Result = new StatusCodeResult(StatusCodes.Status403Forbidden);
            return Task.CompletedTask;
        }

        return next();
    }
}
