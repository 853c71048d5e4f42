// import() for dist/cli.cjs: it is none of a script that was compiled before, in some versions of Node.
module.exports = (/** @type {string} */ name) => import(name);
